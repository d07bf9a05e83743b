#!/usr/bin/env bash
# Gradescope runs this once, when its container is built: all that is needed is Python.
command -v python3 || (apt-get update && apt-get install -y python3)

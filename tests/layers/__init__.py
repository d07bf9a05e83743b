"""Tests of `unrolled.layers`. They use Keras alone and run on each backend: `make test-backends`."""

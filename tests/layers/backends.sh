#!/usr/bin/env bash
# Runs tests/layers on TensorFlow, JAX and PyTorch, one after the other, and has each open the others' files.
# A backend that can't be installed is skipped, and counted: backends.sh PYTHON
set -uo pipefail
cd "$(dirname "$0")/../.."
python=$1
if ! "$python" -c "import jax, torch" 2>/dev/null; then
    echo "Installing JAX and PyTorch for the processor (once; some 500 MB) ..."
    # Two steps: where no such build of PyTorch is offered, JAX is there all the same.
    without=$(mktemp) && sed '/^torch==/,$d' requirements-backends.lock > "$without"
    with="$python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r"
    $with "$without" || echo "JAX could not be installed"
    $with requirements-backends.lock || echo "no build of PyTorch for the processor alone was found: name one with" \
        "PIP_FIND_LINKS=FOLDER, or install one into .venv yourself, and run this again"
    rm -f "$without"
fi
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
ran=() skipped=() failed=()
for round in first again; do  # in the second round every backend finds the files of all
    for backend in tensorflow jax torch; do
        if ! "$python" -c "import $backend" 2>/dev/null; then
            [ $round = first ] && skipped+=("$backend")
            continue
        fi
        only=() && [ $round = again ] && only=(-k one_backend)
        echo "== $backend, $round"
        if UNROLLED_LAYERS_FILES=$files KERAS_BACKEND=$backend TF_CPP_MIN_LOG_LEVEL=3 \
            "$python" -m pytest -q tests/layers "${only[@]}"; then
            [ $round = first ] && ran+=("$backend")
        else
            failed+=("$backend ($round)")
        fi
    done
done
echo "backends: ${#ran[@]} passed (${ran[*]:-none}), ${#failed[@]} failed (${failed[*]:-none})," \
    "${#skipped[@]} skipped (${skipped[*]:-none})"
[ ${#failed[@]} = 0 ]

#!/bin/sh
# Runs the suite: run_tests.sh PYTHON [PYTEST ARGUMENT...]
# On a virtual screen where there is one; without the tests marked gui where Qt cannot even be loaded.
set -eu
# The networks of the tests are tiny: threads would only wait for each other, badly so on a busy machine.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
# One process for windows, which share a screen, the others for the rest.
workers="--numprocesses=auto --maxprocesses=4 --dist=loadgroup"
python=$1
shift

if ! "$python" -c "import PyQt6.QtWidgets" 2>/dev/null; then
    echo "Qt cannot be loaded here: the tests marked gui are left out." >&2
    exec "$python" -m pytest $workers -p no:pytest-qt -m "not network and not gui" "$@"
fi
if command -v xvfb-run >/dev/null 2>&1; then
    exec xvfb-run -a "$python" -m pytest $workers "$@"
fi
exec "$python" -m pytest $workers "$@"

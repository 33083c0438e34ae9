#!/bin/sh
# Runs what depends on the processor as on lesser ones: test_processors.sh PYTHON [PYTEST ARGUMENT...]
# How sums are rounded, and which ways of computing exist, differs between them. Results must not.
set -eu
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" ONEDNN_MAX_CPU_ISA=AVX2
python=$1
shift

for capability in avx2 default; do
    echo "As on a processor without AVX-512; torch's own kernels: $capability"
    ATEN_CPU_CAPABILITY=$capability "$python" -m pytest -q -m "not network and not slow and not gui" \
        tests/nn/compute tests/nn/image_encoder tests/acceleration tests/parity/test_trajectories.py \
        tests/parity/test_memory_modules.py tests/tracking/test_precision.py "$@"
done

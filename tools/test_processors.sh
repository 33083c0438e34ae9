#!/bin/sh
# Runs what depends on the processor as on lesser ones: test_processors.sh PYTHON [PYTEST ARGUMENT...]
# How sums are rounded, and which ways of computing exist, differs between them. Results must not.
# For both, two minutes of the processor: fast ways of computing, then whole tracks of every kind of prompt and memory.
set -eu
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" ONEDNN_MAX_CPU_ISA=AVX2
python=$1
shift

duels=tests/parity/test_trajectories.py
for capability in avx2 default; do
    echo "As on a processor without AVX-512; torch's own kernels: $capability"
    ATEN_CPU_CAPABILITY=$capability "$python" -m pytest -q -m "not network and not slow and not gui" \
        tests/nn/compute tests/nn/image_encoder/test_fast_ways.py tests/tracking/test_precision.py \
        "$duels::test_two_objects_forward_and_reverse[sam2.1-tiny]" \
        "$duels::test_every_kind_of_prompt" \
        "$duels::test_a_click_in_a_movie_tracked_in_reverse[corrections condition]" \
        "$duels::test_an_object_that_is_absent_for_some_frames" \
        "$duels::test_a_movie_of_another_shape_than_the_network_input" \
        tests/tracking/test_default_tracks.py::test_simulated_objects_are_followed "$@"
done

#!/bin/bash
# SPDX-License-Identifier: ISC
# The simulation as one test: its checker can fail, and the ordinary run.
# Prints the seeds; SIM_SEED and SIM_RUNS choose others.
set -eu
cd "$(dirname "$0")/../.."
sim=${BUILD:-build}/tests/sim/sim
"$sim" --self-test
"$sim" --seed "${SIM_SEED:-1}" --runs "${SIM_RUNS:-10000}"

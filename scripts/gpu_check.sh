#!/usr/bin/env bash
# Everything that needs an NVIDIA GPU, in one command: scripts/gpu_check.sh
#
#   1. tissuesim doctor
#   2. the equality suite on the device: numpy = numba = cuda in every bit, whole runs and run folders included
#   3. compute-sanitizer (memcheck, racecheck, synccheck) on a short run, where it is installed
#   4. the benchmark on the device, and the default kidney at 0.5 mm from onset to one year
#
# and one file with all figures: benchmarks/results/<device>.json. Without PYTHON=... an environment is made in .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${PYTHON:-}" ]; then
    driver=$(nvidia-smi | sed -n 's/.*CUDA Version: \([0-9]*\)\..*/\1/p' | head -1)
    extra=cuda$((${driver:-12} >= 13 ? 13 : 12))
    [ -x .venv/bin/python ] || python3 -m venv .venv
    PYTHON=$PWD/.venv/bin/python
    "$PYTHON" -m pip install --quiet --editable ".[test,$extra]"
fi
results=benchmarks/results
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tissuesim() { "$PYTHON" -m tissuesim "$@"; }

echo "== doctor"
tissuesim doctor --json >"$scratch/doctor.json"
tissuesim doctor

echo "== equality on the device"
TISSUESIM_REQUIRE_GPU=1 "$PYTHON" -m pytest -m gpu -q -p no:cacheprovider

failed=()
if command -v compute-sanitizer >/dev/null; then
    # Graphs hide which launch a finding belongs to, and CuPy's pool hides where an array ends: both are off here.
    for tool in memcheck racecheck synccheck; do
        echo "== compute-sanitizer $tool"
        TISSUESIM_CUDA_GRAPHS=0 TISSUESIM_CUDA_POOL=0 compute-sanitizer --tool "$tool" --error-exitcode 1 --target-processes all \
            "$PYTHON" -m tissuesim run kidney_car_t --backend cuda --quiet --out "$scratch/$tool" \
            --set organs.kidney.spacing="8 mm" --set time.start="-1 day" --set time.end="1 day" --set treatment=[] ||
            failed+=("$tool")
    done
else
    echo "== compute-sanitizer is not installed: memory and races were not checked"
fi

echo "== benchmark"
tissuesim bench --backend cuda --json >"$scratch/bench.json"
tissuesim run kidney_car_t --backend cuda --json --set organs.kidney.spacing="0.5 mm" \
    --out "$scratch/kidney" >"$scratch/kidney.json"

"$PYTHON" - "$scratch" "$results" "${failed[@]}" <<'END'
import json
import re
import sys
from pathlib import Path

from tissuesim.backends.cuda.device import device_name

scratch, results, findings = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
parts = {name: json.loads((scratch / f"{name}.json").read_text()) for name in ("doctor", "bench", "kidney")}
parts["kidney"].pop("run")
target = results / (re.sub(r"\W+", "_", device_name()).strip("_").lower() + ".json")
target.write_text(json.dumps({"device": device_name(), "sanitizer_findings": findings, **parts}, indent=1) + "\n")
print(f"The whole kidney at 0.5 mm took {parts['kidney']['wall_seconds']:.1f} s")
print(f"Figures are in {target}")
sys.exit(f"compute-sanitizer found something: {', '.join(findings)}" if findings else 0)
END

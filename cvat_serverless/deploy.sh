#!/bin/sh
# Deploys the functions to the Nuclio of a CVAT server on this machine: deploy.sh [cpu|gpu] [tracker] [interactor]
# Variables that start with SAM2V_ go into the functions, for instance SAM2V_MODEL=sam2.1-small. NUCTL, PYTHON and
# CVAT_NETWORK (cvat_cvat) may be set too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(dirname "$here")
nuctl=${NUCTL:-nuctl}
python=${PYTHON:-python3}
network=${CVAT_NETWORK:-cvat_cvat}

hardware=cpu
case "${1:-}" in
    cpu | gpu) hardware=$1; shift ;;
    -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
esac
[ $# -gt 0 ] || set -- tracker interactor
for kind in "$@"; do
    [ -d "$here/nuclio/$kind" ] || { echo "There is no function '$kind': choose tracker or interactor." >&2; exit 2; }
done

for program in "$nuctl" docker "$python"; do
    command -v "$program" >/dev/null 2>&1 || { echo "$program is needed and not installed." >&2; exit 1; }
done
docker info >/dev/null 2>&1 || { echo "Docker does not answer: is it running, and may you use it?" >&2; exit 1; }
docker network inspect "$network" >/dev/null 2>&1 || {
    echo "There is no Docker network $network: start CVAT with components/serverless/docker-compose.serverless.yml," >&2
    echo "or name its network in CVAT_NETWORK." >&2
    exit 1
}

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT INT TERM
if [ -f "$project/pyproject.toml" ]; then
    "$python" -m pip wheel --quiet --no-deps --wheel-dir "$stage/wheel" "$project"
else
    "$python" -m pip download --quiet --no-deps --dest "$stage/wheel" napari-sam2v
fi

"$nuctl" get project cvat --platform local >/dev/null 2>&1 || "$nuctl" create project cvat --platform local

suffix=""
[ "$hardware" = cpu ] || suffix="-gpu"
for kind in "$@"; do
    folder="$stage/$kind"
    mkdir "$folder"
    cp "$here/nuclio/main.py" "$stage"/wheel/napari_sam2v-*.whl "$folder"
    cp "$here/nuclio/$kind/function$suffix.yaml" "$folder/function.yaml"
    (
        set --
        for name in $(env | sed -n 's/^\(SAM2V_[A-Z_]*\)=.*/\1/p'); do
            set -- "$@" --env "$name=$(printenv "$name")"
        done
        "$nuctl" deploy --project-name cvat --path "$folder" --file "$folder/function.yaml" --platform local \
            --platform-config "{\"attributes\": {\"network\": \"$network\"}}" "$@"
    )
done
"$nuctl" get function --platform local

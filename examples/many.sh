#!/usr/bin/env bash
# Reconstruct every mesh of a folder with the same settings; a finished one is skipped, so the script can be restarted.
# usage: examples/many.sh FOLDER OUT [options of invrender reconstruct]
set -u
source_folder=$1 out=$2
shift 2
failed=0
for asset in "$source_folder"/*.{glb,gltf,obj,ply,stl}; do
  [ -e "$asset" ] || continue
  name=$(basename "${asset%.*}")
  invrender reconstruct "$asset" -o "$out/$name" -q --json "$@" > "$out-$name.json"
  case $? in
    0) echo "$name: done" ;;
    6) echo "$name: already there" && rm -f "$out-$name.json" ;;
    130) exit 130 ;;
    *) echo "$name: failed" && failed=1 && rm -f "$out-$name.json" ;;
  esac
done
exit $((failed * 9))

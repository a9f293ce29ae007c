#!/usr/bin/env bash
# What the test asks on standard input, the client in docs/clients/rota.sh answers. See clients_test.cc.
set -euo pipefail
ROTA_SOCKET=$1 ROTA_PATIENCE=$2 ROTA_BEARER=${ROTA_TOKEN:-}
# shellcheck source=docs/clients/rota.sh
source ./rota.sh

declare -A last=()
while read -r what name value; do
  refused=
  [[ $what != refused ]] || refused=${last[$value]}
  returned=0
  rota_token "$name" "$value" "$refused" || returned=$?
  case $returned in
    0) last[$value]=$ROTA_TOKEN && echo "token $ROTA_TOKEN" ;;
    4) echo "gone $ROTA_CODE" ;;
    *) echo "error $ROTA_CODE ${ROTA_RETRY_AFTER:-0}" ;;
  esac
done

#!/usr/bin/env bash
# Shares a CSV file between two connectors on this machine, command by command, and cleans up after itself.
# Needs a built program: npm ci. Ports are taken from PORT_A and PORT_B upwards (two each).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROGRAM=$HERE/../dist/connector/main.js
PORT_A=${PORT_A:-9484}
PORT_B=${PORT_B:-9584}
FOLDER=$(mktemp -d)
PIDS=()

cleanup() {
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$FOLDER"
}
trap cleanup EXIT

# in_company NAME ARGUMENTS...: one command, shown and run in the folder of that company.
in_company() {
  local company=$1
  shift
  printf '\n[%s] $ handschlag' "$company"
  printf ' %q' "$@"
  printf '\n'
  (cd "$FOLDER/$company" && node "$PROGRAM" "$@")
}
operator() { in_company operator "$@"; }
builder() { in_company builder "$@"; }

# serve NAME: starts the connector of that company and waits until it answers.
serve() {
  local try
  (cd "$FOLDER/$1" && exec node "$PROGRAM" serve --dev >serve.out 2>serve.log) &
  PIDS+=($!)
  for try in $(seq 60); do
    if (cd "$FOLDER/$1" && node "$PROGRAM" status >/dev/null 2>&1); then return 0; fi
    sleep 0.2
  done
  echo "The connector of the $1 did not start:" >&2
  cat "$FOLDER/$1/serve.out" "$FOLDER/$1/serve.log" >&2
  return 1
}

echo '== Two companies, each with its own identity, keys and data directory'
mkdir "$FOLDER/operator" "$FOLDER/builder"
operator init --dev --public-url "https://localhost:$PORT_A" --name 'Oven Operator'
builder init --dev --public-url "https://localhost:$PORT_B" --name 'Oven Builder'
# Each has a development authority of its own; here they accept both. With real certificates this step is not there.
cat "$FOLDER"/*/handschlag-data/dev-certs/ca.pem >"$FOLDER/authorities.pem"
export HANDSCHLAG_TRUSTED_CA=$FOLDER/authorities.pem
export HANDSCHLAG_HOST=127.0.0.1
serve operator
serve builder

echo
echo '== They get to know each other'
operator partner add "did:web:localhost%3A$PORT_B" "https://localhost:$PORT_B" --name 'Oven Builder'
operator partner trust 'Oven Builder'
builder partner add "did:web:localhost%3A$PORT_A" "https://localhost:$PORT_A" --name 'Oven Operator'
builder partner trust 'Oven Operator'

echo
echo '== The operator offers a file: German local time, semicolons, decimal commas'
operator source add oven --kind files --file "$HERE/oven.csv" --separator ';' --decimal , --missing n/a \
  --time Zeit --time-zone Europe/Berlin --series oven-1 \
  --map temperature=Temperatur --map vibration=Vibration --map power=Leistung
operator source check oven
operator dataset add oven --title 'Oven 1, process values' --machine oven-1 --source oven \
  --signal temperature:number:°C --signal vibration:number:mm/s --signal power:number:kW
operator offer add oven --id oven-condition --policy "$HERE/../policies/condition-monitoring.json"
operator dataset publish oven

echo
echo '== The builder makes the contract and fetches the data'
builder catalog 'Oven Operator'
builder negotiate 'Oven Operator' oven
CONTRACT=$(cd "$FOLDER/builder" && node "$PROGRAM" contract list --json | node -p 'JSON.parse(require("node:fs").readFileSync(0)).contracts[0].id')
builder contract show "$CONTRACT"
builder pull "$CONTRACT" --out oven.csv
echo
echo 'Three signals and a row every 10 seconds went in; two signals and a row a minute came out:'
head -n 4 "$FOLDER/builder/oven.csv"

echo
echo '== The operator ends the contract, and nothing more is delivered'
operator contract revoke "$CONTRACT" --reason 'The trial is over'
if builder pull "$CONTRACT" --out again.csv; then
  echo 'This must not happen: data came after the revocation.' >&2
  exit 1
fi
echo
echo 'Done.'

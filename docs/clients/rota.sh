#!/usr/bin/env bash
# A client of Rota's token socket for bash, with curl 7.84 or later and sha256sum.
#
#   source rota.sh
#   rota_token email grace@example.com && echo "$ROTA_TOKEN"
#   # Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
#   rota_token email grace@example.com "$ROTA_TOKEN"
#
# On a listener, with the token that `rota client add` printed, which is not exported:
#
#   ROTA_SOCKET=127.0.0.1:8465 ROTA_BEARER=$(<token-of-the-client)
#   source rota.sh
#
# Call it in the shell itself, not in $(…): a subshell forgets the tokens that it was given.

ROTA_SOCKET=${ROTA_SOCKET:-/run/rota/token.sock} # or ADDRESS:PORT of a listener
ROTA_BEARER=${ROTA_BEARER:-}       # for a listener
ROTA_PATIENCE=${ROTA_PATIENCE:-10} # for how many seconds one call may wait and try again
ROTA_LIFE_MIN=60                   # a token with fewer seconds left is fetched again
declare -gA ROTA_KEPT=() ROTA_UNTIL=() # by member: its token, and until when it may be used

# rota_token NAME VALUE [REFUSED]: sets ROTA_TOKEN to an access token of the member. NAME is email,
# community_member_id or sso_user_id; REFUSED is the token to which Circle answered 401.
# Returns 0, or
#   4  the member left or is blocked (410): stop acting for this member
#   3  no token now (503): ask again in ROTA_RETRY_AFTER seconds, if that is not empty
#   2  Rota cannot be reached
#   1  anything else
# and then ROTA_CODE says why.
rota_token() {
  local member="$1=$2" refused=${3:-} at=(http://rota) also=() reply body status life half wait pause now asked_at deadline failed
  rota_now
  ROTA_TOKEN=${ROTA_KEPT[$member]:-} ROTA_CODE='' ROTA_RETRY_AFTER=''
  if [[ -n $ROTA_TOKEN && $ROTA_TOKEN != "$refused" ]] && ((now < ${ROTA_UNTIL[$member]})); then
    return 0
  fi
  ROTA_KEPT[$member]='' ROTA_TOKEN=''
  if [[ -n $refused ]]; then
    also=(--data "refused=$(printf %s "$refused" | sha256sum | head -c 16)")
  fi
  if [[ $ROTA_SOCKET == /* ]]; then at+=(--unix-socket "$ROTA_SOCKET"); else at=("http://$ROTA_SOCKET"); fi
  deadline=$((now + ROTA_PATIENCE * 100))
  while true; do
    rota_now
    asked_at=$now wait=$((deadline > now ? (deadline - now) / 100 : 0))
    # Neither the member's name nor a token is on the command line, where everybody could read it.
    if reply=$(printf %s "$2" | curl --silent --noproxy '*' --get "${at[0]}/v1/token" "${at[@]:1}" \
      --max-time "$((wait + 5))" --data-urlencode "$1@-" --data "wait=$wait" "${also[@]}" \
      --header @<([[ -z $ROTA_BEARER ]] || printf 'Authorization: Bearer %s\n' "$ROTA_BEARER") \
      --write-out '\n%{http_code}|%header{rota-expires-in}|%header{retry-after}'); then
      IFS='|' read -r status life ROTA_RETRY_AFTER <<<"${reply##*$'\n'}"
      body=${reply%$'\n'*}
      if ((status == 200)); then
        ROTA_TOKEN=${body#*\"access_token\":\"}
        ROTA_TOKEN=${ROTA_TOKEN%%\"*}
        half=$((life / 2)) life=$((life - ROTA_LIFE_MIN))
        ROTA_KEPT[$member]=$ROTA_TOKEN
        ROTA_UNTIL[$member]=$((asked_at + 100 * (life > half ? life : half)))
        return 0
      fi
      ROTA_CODE=${body#*\"code\":\"}
      ROTA_CODE=${ROTA_CODE%%\"*}
      case $status in
        410) return 4 ;;
        503) failed=3 pause=$((100 * ${ROTA_RETRY_AFTER:-0})) ;;
        *) return 1 ;;
      esac
    else
      ROTA_CODE=unreachable failed=2
      [[ $ROTA_SOCKET != /* || -w $ROTA_SOCKET ]] || return "$failed"
      pause=5 # the queue of new connections is full, or the daemon has just been restarted
    fi
    rota_now
    ((pause > 0 && now + pause <= deadline)) || return "$failed"
    sleep "$((pause / 100)).$(printf %02d "$((pause % 100))")"
  done
}

# Sets `now`, in hundredths of a second since the machine started.
rota_now() {
  read -r now _ </proc/uptime
  now=$((10#${now/./}))
}

# Generated from the commands in src/cli/ by `npm run docs`.
_pulp_streamer() {
  _pulp_streamer_words "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=($(compgen -W "$_pulp_streamer_next" -- "${COMP_WORDS[COMP_CWORD]}"))
}
_pulp_streamer_words() {
  local word place= found=
  for word in "$@"; do
    case "$place $word" in
      ' serve') place='serve' ;;
      ' status') place='status' ;;
      ' reload') place='reload' ;;
      ' drain') place='drain' ;;
      ' fetch') place='fetch' ;;
      ' explain') place='explain' ;;
      ' top') place='top' ;;
      ' catalog') place='catalog' ;;
      'catalog import') place='catalog import' ;;
      'catalog follow') place='catalog follow' ;;
      'catalog refresh') place='catalog refresh' ;;
      'catalog vacuum') place='catalog vacuum' ;;
      'catalog label') place='catalog label' ;;
      'catalog labels') place='catalog labels' ;;
      'catalog revisions') place='catalog revisions' ;;
      'catalog add') place='catalog add' ;;
      'catalog list') place='catalog list' ;;
      'catalog show') place='catalog show' ;;
      'catalog remove') place='catalog remove' ;;
      'catalog load') place='catalog load' ;;
      'catalog export') place='catalog export' ;;
      ' importers') place='importers' ;;
      'importers add') place='importers add' ;;
      'importers list') place='importers list' ;;
      'importers show') place='importers show' ;;
      'importers remove') place='importers remove' ;;
      ' sources') place='sources' ;;
      'sources list') place='sources list' ;;
      'sources refresh') place='sources refresh' ;;
      'sources explain') place='sources explain' ;;
      ' saves') place='saves' ;;
      'saves list') place='saves list' ;;
      'saves retry') place='saves retry' ;;
      'saves drop') place='saves drop' ;;
      ' copies') place='copies' ;;
      'copies list') place='copies list' ;;
      'copies verify') place='copies verify' ;;
      'copies purge') place='copies purge' ;;
      ' warm') place='warm' ;;
      ' backup') place='backup' ;;
      ' restore') place='restore' ;;
      ' export-bundle') place='export-bundle' ;;
      ' import-bundle') place='import-bundle' ;;
      ' report') place='report' ;;
      ' client') place='client' ;;
      ' sign-url') place='sign-url' ;;
      ' verify-url') place='verify-url' ;;
      ' check-config') place='check-config' ;;
      ' doctor') place='doctor' ;;
      ' init') place='init' ;;
      ' install-service') place='install-service' ;;
      ' completion') place='completion' ;;
      ' demo') place='demo' ;;
      ' version') place='version' ;;
    esac
  done
  case "$place" in
    '') found='serve status reload drain fetch explain top catalog importers sources saves copies warm backup restore export-bundle import-bundle report client sign-url verify-url check-config doctor init install-service completion demo version help --version --help' ;;
    'serve') found='--config --port --interfaces --workers --admin-port --admin-interfaces --admin-hosts --traces --trace-feeds --show-clients --cache-timeout --metadata-max-age --keep-revisions --metadata-memory --metadata-timeout --max-misses --index-names --listings --legacy-errors --via --cache-status --proxy-status --request-id --log-level --log-file --state-dir --control-socket --control-group --catalog --catalog-type --shared-catalog-url --mongodb-url --mongodb-timeout --database-name --database-seeds --database-username --database-password --database-replica-set --database-ssl --database-ssl-keyfile --database-ssl-certfile --database-verify-ssl --database-ca-path --storage-dir --file-roots --plugin-config-dir --dispatch --save-dir --save-limit --check-copies --scrub-rate --share-copies --save-url --save-endpoint --save-region --save-path-style --save-access-key --save-secret-key --save-ca --metered-feeds --warm --warm-bytes --warm-rate --warm-hours --warm-within --save-partial --saves-max-age --save-abandoned --broker-url --broker-tls --broker-cacert --broker-keyfile --broker-certfile --broker-login --broker-declare --celery-protocol --task-reservation --reservation-task --reservation-queue --save-task --save-task-args --save-task-kwargs --task-queue --deferred-nudge --nudge-task --content-sources-dir --connect-timeout --answer-timeout --head-timeout --read-timeout --idle-timeout --feed-tls-levels --feed-networks --max-redirects --max-connections --verify-whole-below --verify-whole-within --attempts --attempts-per-candidate --retry-wait --retry-wait-limit --min-speed --min-speed-window --client-timeout --coalesce-window --coalesce-memory --spill-dir --spill-limit --finish-below --max-client-connections --max-transfers --max-transfers-per-client --requests-per-connection --request-timeout --keep-alive-timeout --max-target-length --max-header-size --size-limit --cooldown --cooldown-limit --hedge --signed-urls --rsa-pub --rsa-key --redirect-path --trusted-proxies --forwarded-header --public-url --proxy --proxy-hosts --follow-hosts --proxy-connect --proxy-clients --sendfile-proxies --stop-timeout --help' ;;
    'status') found='--json --ready --config --state-dir --control-socket --help' ;;
    'reload') found='--config --state-dir --control-socket --help' ;;
    'drain') found='--quiet --timeout --off --config --state-dir --control-socket --help' ;;
    'fetch') found='--output --json --config --log-level --state-dir --catalog --save-dir --content-sources-dir --help' ;;
    'explain') found='--json --config --log-level --state-dir --catalog --save-dir --content-sources-dir --help' ;;
    'top') found='--config --admin-port --url --once --help' ;;
    'catalog') found='import follow refresh vacuum label labels revisions add list show remove load export help --help' ;;
    'catalog import') found='yum deb files --prefix --importer --suite --component --arch --list --strict --keyring --every --json --config --state-dir --catalog --password-file --proxy-password-file --query-token-file --header-file --ca --client-cert --client-key --no-verify --username --password --query-token --header --proxy-host --proxy-port --proxy-username --proxy-password --feed-max-downloads --feed-max-speed --feed-connect-timeout --feed-read-timeout --help' ;;
    'catalog follow') found='yum deb files raw --prefix --importer --suite --component --arch --list --keyring --json --config --state-dir --catalog --password-file --proxy-password-file --query-token-file --header-file --ca --client-cert --client-key --no-verify --username --password --query-token --header --proxy-host --proxy-port --proxy-username --proxy-password --feed-max-downloads --feed-max-speed --feed-connect-timeout --feed-read-timeout --help' ;;
    'catalog refresh') found='--json --config --state-dir --catalog --help' ;;
    'catalog vacuum') found='--config --state-dir --catalog --json --help' ;;
    'catalog label') found='--config --state-dir --catalog --json --delete --help' ;;
    'catalog labels') found='--config --state-dir --catalog --json --help' ;;
    'catalog revisions') found='--config --state-dir --catalog --json --help' ;;
    'catalog add') found='--config --state-dir --catalog --checksum --size --importer --help' ;;
    'catalog list') found='--config --state-dir --catalog --json --help' ;;
    'catalog show') found='--config --state-dir --catalog --json --help' ;;
    'catalog remove') found='--config --state-dir --catalog --prefix --importer --help' ;;
    'catalog load') found='--config --state-dir --catalog --help' ;;
    'catalog export') found='--config --state-dir --catalog --secrets --help' ;;
    'importers') found='add list show remove help --help' ;;
    'importers add') found='--config --state-dir --catalog --password-file --proxy-password-file --query-token-file --header-file --ca --client-cert --client-key --no-verify --username --password --query-token --header --proxy-host --proxy-port --proxy-username --proxy-password --feed-max-downloads --feed-max-speed --feed-connect-timeout --feed-read-timeout --feed --repo --json --help' ;;
    'importers list') found='--config --state-dir --catalog --json --help' ;;
    'importers show') found='--config --state-dir --catalog --json --help' ;;
    'importers remove') found='--config --state-dir --catalog --help' ;;
    'sources') found='list refresh explain help --help' ;;
    'sources list') found='--config --state-dir --catalog --content-sources-dir --json --help' ;;
    'sources refresh') found='--config --state-dir --catalog --content-sources-dir --help' ;;
    'sources explain') found='--config --state-dir --catalog --content-sources-dir --json --help' ;;
    'saves') found='list retry drop help --help' ;;
    'saves list') found='--config --state-dir --json --help' ;;
    'saves retry') found='--config --state-dir --json --all --help' ;;
    'saves drop') found='--config --state-dir --json --all --help' ;;
    'copies') found='list verify purge help --help' ;;
    'copies list') found='--config --state-dir --catalog --save-dir --save-url --json --help' ;;
    'copies verify') found='--config --state-dir --catalog --save-dir --save-url --json --help' ;;
    'copies purge') found='--config --state-dir --catalog --save-dir --save-url --json --older-than --all --help' ;;
    'warm') found='--packages --all --metered --json --config --state-dir --control-socket --help' ;;
    'backup') found='--replace --json --config --state-dir --catalog --save-dir --help' ;;
    'restore') found='--check --json --config --state-dir --catalog --save-dir --help' ;;
    'export-bundle') found='--since --replace --json --config --keep-revisions --state-dir --catalog --catalog-type --dispatch --save-dir --save-limit --help' ;;
    'import-bundle') found='--check --json --config --keep-revisions --state-dir --catalog --catalog-type --dispatch --save-dir --save-limit --help' ;;
    'report') found='--config --state-dir --days --json --html --help' ;;
    'client') found='--config --state-dir --catalog --public-url --for --help' ;;
    'sign-url') found='--key --expires --remote-ip --config --help' ;;
    'verify-url') found='--key --remote-ip --json --config --help' ;;
    'check-config') found='--print --json --format --secrets --migrate --deep --config --port --interfaces --workers --admin-port --admin-interfaces --admin-hosts --traces --trace-feeds --show-clients --cache-timeout --metadata-max-age --keep-revisions --metadata-memory --metadata-timeout --max-misses --index-names --listings --legacy-errors --via --cache-status --proxy-status --request-id --log-level --log-file --state-dir --control-socket --control-group --catalog --catalog-type --shared-catalog-url --mongodb-url --mongodb-timeout --database-name --database-seeds --database-username --database-password --database-replica-set --database-ssl --database-ssl-keyfile --database-ssl-certfile --database-verify-ssl --database-ca-path --storage-dir --file-roots --plugin-config-dir --dispatch --save-dir --save-limit --check-copies --scrub-rate --share-copies --save-url --save-endpoint --save-region --save-path-style --save-access-key --save-secret-key --save-ca --metered-feeds --warm --warm-bytes --warm-rate --warm-hours --warm-within --save-partial --saves-max-age --save-abandoned --broker-url --broker-tls --broker-cacert --broker-keyfile --broker-certfile --broker-login --broker-declare --celery-protocol --task-reservation --reservation-task --reservation-queue --save-task --save-task-args --save-task-kwargs --task-queue --deferred-nudge --nudge-task --content-sources-dir --connect-timeout --answer-timeout --head-timeout --read-timeout --idle-timeout --feed-tls-levels --feed-networks --max-redirects --max-connections --verify-whole-below --verify-whole-within --attempts --attempts-per-candidate --retry-wait --retry-wait-limit --min-speed --min-speed-window --client-timeout --coalesce-window --coalesce-memory --spill-dir --spill-limit --finish-below --max-client-connections --max-transfers --max-transfers-per-client --requests-per-connection --request-timeout --keep-alive-timeout --max-target-length --max-header-size --size-limit --cooldown --cooldown-limit --hedge --signed-urls --rsa-pub --rsa-key --redirect-path --trusted-proxies --forwarded-header --public-url --proxy --proxy-hosts --follow-hosts --proxy-connect --proxy-clients --sendfile-proxies --stop-timeout --help' ;;
    'doctor') found='--json --config --port --interfaces --workers --admin-port --admin-interfaces --admin-hosts --traces --trace-feeds --show-clients --cache-timeout --metadata-max-age --keep-revisions --metadata-memory --metadata-timeout --max-misses --index-names --listings --legacy-errors --via --cache-status --proxy-status --request-id --log-level --log-file --state-dir --control-socket --control-group --catalog --catalog-type --shared-catalog-url --mongodb-url --mongodb-timeout --database-name --database-seeds --database-username --database-password --database-replica-set --database-ssl --database-ssl-keyfile --database-ssl-certfile --database-verify-ssl --database-ca-path --storage-dir --file-roots --plugin-config-dir --dispatch --save-dir --save-limit --check-copies --scrub-rate --share-copies --save-url --save-endpoint --save-region --save-path-style --save-access-key --save-secret-key --save-ca --metered-feeds --warm --warm-bytes --warm-rate --warm-hours --warm-within --save-partial --saves-max-age --save-abandoned --broker-url --broker-tls --broker-cacert --broker-keyfile --broker-certfile --broker-login --broker-declare --celery-protocol --task-reservation --reservation-task --reservation-queue --save-task --save-task-args --save-task-kwargs --task-queue --deferred-nudge --nudge-task --content-sources-dir --connect-timeout --answer-timeout --head-timeout --read-timeout --idle-timeout --feed-tls-levels --feed-networks --max-redirects --max-connections --verify-whole-below --verify-whole-within --attempts --attempts-per-candidate --retry-wait --retry-wait-limit --min-speed --min-speed-window --client-timeout --coalesce-window --coalesce-memory --spill-dir --spill-limit --finish-below --max-client-connections --max-transfers --max-transfers-per-client --requests-per-connection --request-timeout --keep-alive-timeout --max-target-length --max-header-size --size-limit --cooldown --cooldown-limit --hedge --signed-urls --rsa-pub --rsa-key --redirect-path --trusted-proxies --forwarded-header --public-url --proxy --proxy-hosts --follow-hosts --proxy-connect --proxy-clients --sendfile-proxies --stop-timeout --help' ;;
    'init') found='--help' ;;
    'install-service') found='--user --pulp2 --socket --print --root --help' ;;
    'completion') found='bash zsh --help' ;;
    'demo') found='--once --help' ;;
    'version') found='--help' ;;
  esac
  _pulp_streamer_next=$found
}
complete -o bashdefault -o default -F _pulp_streamer pulp-streamer

### What the program says while it works, in English: the source of zh.ftl. Programs read some of these lines, so they are changed
### with care. The help is in arguments.rs.

## Mistakes on the command line, in languages that clap does not speak

mistake-argument = unexpected argument '{ $argument }'
mistake-command = unknown command '{ $name }'
mistake-no-command = a command is missing
mistake-no-value = '{ $argument }' needs a value
mistake-value = '{ $value }' is no value for '{ $argument }'
mistake-value-unneeded = '{ $argument }' takes no value, and got '{ $value }'
mistake-missing = missing: { $argument }
mistake-conflict = '{ $argument }' and '{ $other }' exclude each other
mistake-values = possible values: { $values }
mistake-suggestion = perhaps meant: { $suggested }
mistake-usage = Usage:
mistake-help = for more, see --help

## Every command

error = error: { $message }
threads-failed = no threads can be started: { $reason }
signals-failed = signals cannot be listened for: { $reason }
unreadable = { $path } cannot be read: { $reason }
path-unnameable = { $path } cannot be named: { $reason }
path-not-text = { $path } cannot be told to the emulator: the path is not UTF-8
file-unusable = { $path } cannot be read or written: { $reason }
file-not-an-object = { $path } is no JSON object
not-json = { $what } is not JSON: { $reason }
not-an-object = { $what } is no JSON object: { $found }
program-unknown = the path of this program cannot be told: { $reason }
project-unusable = the project folder { $path } cannot be used: { $reason }
project-foreign = { $path } is not what WeChat DevTools writes: { $reason }
settings-timeout = { $path }: functions.{ $function }.timeout-seconds must be 1 to { $most }

## Reaching a running emulator

not-running = no emulator runs on the data folder { $data }, and this command asks one that runs: start it with `emulator start`, or name its folder with --data
client-silent = the emulator with process id { $pid } does not answer on port { $port }: { $reason }
client-broken-off = the running emulator broke off: { $reason }
client-unwritable = the request cannot be written: { $reason }
client-not-json = the running emulator answered something else than JSON: { $reason }

## start, exec

screen-variables = for server SDKs (@cloudbase/node-sdk, wx-server-sdk), in the shell they start from:
screen-environment = environment: { $name } when a request names none
screen-functions = functions:   { $names }
screen-functions-none = functions:   none
screen-data = data:        { $path }
screen-data-temporary = data:        in a temporary folder, removed at the end
screen-fixtures = fixtures:    { $seeded }
screen-watched = watched:     the fixtures take the place of all data whenever one of their files changes
screen-network = OPEN TO THE LOCAL NETWORK (--lan): whoever has the token can use this cloud as any user. For a phone, in app.js:
screen-network-none = this machine has no address on a network now: connect it and start again
fixtures-filled = { $collections } collections with { $documents } documents, { $files } files and { $users } users
fixtures-unused = not used: the cloud has data already, nothing was changed
stopping = stopping: running requests may finish; Ctrl-C again ends at once
addresses-unknown = the addresses of this machine cannot be told
port-taken = port { $port } is taken by { $holder }: stop it, or start the emulator on another port with --port
ports-taken = every port of { $first } to { $last } is taken ({ $first } by { $holder }): stop one of them, or name a free port with --port
port-unusable = port { $port } cannot be listened on: { $reason }
holder = { $name } (process id { $pid })
holder-unseen = another process, which this user may not see
exec-no-command = name the command after `--`: emulator exec -- npm test
exec-failed = `{ $program }` cannot be run: { $reason }
exec-not-found = there is no command `{ $program }`
exec-fixtures-unused = the fixtures are not used: the cloud has data already

## seed, and fixtures that are watched

seeded = added { $documents } documents in { $collections } collections, { $files } files and { $users } users
reseeded = the fixtures took the place of all data in { $milliseconds } ms: { $documents } documents in { $collections } collections, { $files } files and { $users } users
reseed-failed = the fixtures have a mistake, and the data stays as it was: { $reason }
watch-failed = { $path } cannot be watched: { $reason }
watch-needs-fixtures = --watch needs a folder to watch: name it with --fixtures DIR, or as `fixtures` in emulator.toml

## import, export

imported = { $collection }: { $inserted } inserted, { $updated } updated, { $removed } removed, of { $documents } documents in the file ({ $format }, { $encoding })
exported = wrote { $documents } documents in { $collections } collections, { $files } files and { $users } users to { $target }
exported-file = wrote { $documents } documents to { $target }
export-needs-fields = a CSV file needs its columns: --fields _id,name,age
stage-reading = reading
stage-storing = storing
stage-committing = committing
stage-writing = writing

## fork, drop, snapshot, restore, clock

fork-dropped = removed { $fork }
snapshot-taken = remembered as `{ $name }`; `emulator restore { $name }` goes back to it
snapshot-restored = everything is as it was in `{ $name }`
snapshot-removed = forgot `{ $name }`
clock-ahead = { $distance } ahead of this machine
clock-behind = { $distance } behind this machine
clock-frozen = frozen
clock-between = {", "}

## db, reset

reset = removed every document, file, user, permission mode and rule; the collections are empty
documents = { $documents } documents
index-unique = unique
explained = index { $index }: { $keys } keys and { $documents } documents looked at, { $found } found{ $order }
explained-order = {", put in order afterwards"}
what-query = the query
what-fields = the fields
what-documents = the document
what-document = { $place }: document { $number }
what-input = standard input

## call, users, rules

call-took = took { $milliseconds } ms, request { $request }
call-data-unreadable = --data: { $path } cannot be read: { $reason }
user-chosen = a sign-in that names no user is now { $name }  { $openid }
user-default = (a sign-in that names no user)
rules-fine = { $path }: no mistake
rules-unusable = nothing was set

## init

init-no-app = { $path } has neither app.js nor app.ts: run this in the mini program's project, or name it with --project
init-foreign-file = { $path } is not the emulator's: move it away first
init-client-there = { $path }: is there already
init-client-written = { $path }: written; it acts in DevTools only
init-client-updated = { $path }: brought up to date; it acts in DevTools only
init-client-removed = { $path }: removed
init-line-there = { $path }: loads it already
init-line-added = { $path }: loads it in its first line, `{ $line }`
init-line-removed = { $path }: no longer loads it
init-check-off = { $path }: DevTools lets requests to this machine pass already
init-check-switched-off = { $path }: `setting.urlCheck` is off, so that DevTools lets requests to this machine pass
init-check-restored = { $path }: `setting.urlCheck` is what it was
init-nothing-to-undo = nothing to take back
init-next = next: `emulator start` here, then open the project in DevTools; `emulator init --undo` takes this back
init-release = the release does not need { $file }: `packOptions.ignore` in project.config.json leaves it out

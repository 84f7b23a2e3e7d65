# awk -v folder=F -f yaml.awk: lays one YAML or JSON document out below the folder F, a file per scalar: `a: [{b: c}]` is F/a/0000/b with
# the text `c` in it, so that a shell reads it without parsing. Understands what configuration files are made of: block and flow collections,
# plain and quoted scalars, literal and folded blocks, comments. Not: anchors, tags, several documents.
# The awk is busybox's, which knows no `\[` inside a bracket expression.
function emit(path, value,   parent) {
  if (path == "") return
  gsub(/\n/, "/", path)
  path = folder path
  parent = path
  sub(/\/[^\/]*$/, "", parent)
  if (!(parent in parents)) { parents[parent] = 1; gsub(/\x27/, "\x27\\\x27\x27", parent); folders = folders " \x27" parent "\x27" }
  paths[++written] = path
  values[written] = value
}
# Names of keys come between newlines until they are paths: a key may have a slash in it, which becomes a `|`.
function child(path, key) { gsub(/\//, "|", key); gsub(/\n/, " ", key); return path "\n" key }
function item(path, i) { return path "\n" sprintf("%04d", i) }
function indent(line) { match(line, /^ */); return RLENGTH }
# The indentation of the next line that says something, or -1.
function peek() {
  while (at <= count && lines[at] ~ /^ *(#.*|---.*|\.\.\.)?$/) at++
  return at <= count ? indent(lines[at]) : -1
}
function is_item(text) { return text ~ /^-( |$)/ }
# The length of `key:` at the start of the text, or 0.
function key_length(text) {
  if (text ~ /^"/) return match(text, /^"([^"\\]|\\.)*" *:( |$)/) ? RLENGTH : 0
  if (text ~ /^\x27/) return match(text, /^\x27([^\x27]|\x27\x27)*\x27 *:( |$)/) ? RLENGTH : 0
  if (text ~ /^[][{}|>&*!%@#]/) return 0
  return match(text, /:( |$)/) ? RSTART + RLENGTH - 1 : 0
}
function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }
function block(path, least,   ind, text) {
  ind = peek()
  if (ind < least) { if (path != "") emit(path, ""); return }
  text = substr(lines[at], ind + 1)
  if (is_item(text)) sequence(path, ind)
  else if (text ~ /^[|>]/) { at++; literal(path, text, least - 1) }
  else if (key_length(text) > 0) mapping(path, ind)
  else { at++; inline(path, text, least - 1) }
}
function sequence(path, ind,   i, text) {
  for (i = 0; peek() == ind; i++) {
    text = substr(lines[at], ind + 1)
    if (!is_item(text)) return
    # The rest of the line is a node of its own, further to the right.
    lines[at] = substr(lines[at], 1, ind) " " substr(lines[at], ind + 2)
    block(item(path, i), ind + 1)
  }
}
function mapping(path, ind,   text, n, key, rest) {
  while (peek() == ind) {
    text = substr(lines[at], ind + 1)
    n = key_length(text)
    if (n == 0 || is_item(text)) return
    key = trim(substr(text, 1, n)); sub(/ *:$/, "", key)
    if (key ~ /^["\x27]/) key = unquote(key)
    rest = trim(substr(text, n + 1))
    at++
    if (rest == "" || rest ~ /^#/) {
      # Items of a sequence may stand as far left as their key.
      if (peek() == ind && is_item(substr(lines[at], ind + 1))) sequence(child(path, key), ind)
      else block(child(path, key), ind + 1)
    }
    else if (rest ~ /^[|>]/) literal(child(path, key), rest, ind)
    else inline(child(path, key), rest, ind)
  }
}
# `|` and `>` with their chomping; lines further right than `ind` belong to it.
function literal(path, header, ind,   own, value, line, folded, i, last) {
  own = -1; value = ""; folded = header ~ /^>/; last = ""
  if (match(header, /[1-9]/)) own = ind + substr(header, RSTART, 1)
  for (; at <= count; at++) {
    line = lines[at]
    if (line ~ /^ *$/) { value = value "\n"; last = ""; continue }
    if (indent(line) <= ind) break
    if (own < 0) own = indent(line)
    line = substr(line, own + 1)
    if (folded && last != "" && last !~ /^ / && line !~ /^ /) sub(/\n$/, " ", value)
    value = value line "\n"
    last = line
  }
  if (header ~ /-/) sub(/\n+$/, "", value)
  else if (header !~ /\+/) { sub(/\n+$/, "", value); if (value != "") value = value "\n" }
  emit(path, value)
}
# A value that begins on the line of its key, and may go on further right.
function inline(path, text, ind) {
  if (text ~ /^[[{]/) {
    while (!balanced(text) && at <= count) text = text " " trim(lines[at++])
    flow_text = text; flow_at = 1
    flow(path)
  }
  else if (text ~ /^["\x27]/) {
    while (quoted_length(text) == 0 && at <= count) text = text " " trim(lines[at++])
    emit(path, unquote(substr(text, 1, quoted_length(text))))
  }
  else {
    sub(/[ \t]+#.*$/, "", text)
    text = trim(text)
    while (peek() > ind) text = text " " trim(lines[at++])
    emit(path, text == "null" || text == "~" ? "" : text)
  }
}
function quoted_length(text) {
  if (text ~ /^"/) return match(text, /^"([^"\\]|\\.)*"/) ? RLENGTH : 0
  return match(text, /^\x27([^\x27]|\x27\x27)*\x27/) ? RLENGTH : 0
}
function unquote(text,   out, c) {
  if (text ~ /^\x27/) { text = substr(text, 2, length(text) - 2); gsub(/\x27\x27/, "\x27", text); return text }
  text = substr(text, 2, length(text) - 2); out = ""
  while (match(text, /\\/)) {
    out = out substr(text, 1, RSTART - 1); c = substr(text, RSTART + 1, 1); text = substr(text, RSTART + 2)
    if (c == "n") out = out "\n"
    else if (c == "t") out = out "\t"
    else if (c == "r") out = out "\r"
    else if (c == "x") { out = out sprintf("%c", number(substr(text, 1, 2))); text = substr(text, 3) }
    else if (c == "u") { out = out utf8(number(substr(text, 1, 4))); text = substr(text, 5) }
    else out = out c
  }
  return out text
}
function number(hex,   i, n) {
  for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", tolower(substr(hex, i, 1))) - 1
  return n
}
function utf8(n) {
  if (n < 128) return sprintf("%c", n)
  if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
  return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
}
function balanced(text,   n) {
  gsub(/"([^"\\]|\\.)*"/, "", text); gsub(/\x27[^\x27]*\x27/, "", text)
  n = gsub(/[[{]/, "", text)
  return n <= gsub(/[]}]/, "", text)
}
function flow_skip() { while (substr(flow_text, flow_at, 1) ~ /^[ \t]$/) flow_at++ }
function flow_scalar(ends,   rest, n) {
  flow_skip()
  rest = substr(flow_text, flow_at)
  if (rest ~ /^["\x27]/) { n = quoted_length(rest); if (n == 0) n = length(rest); flow_at += n; return unquote(substr(rest, 1, n)) }
  n = match(rest, ends) ? RSTART - 1 : length(rest)
  flow_at += n
  return trim(substr(rest, 1, n))
}
function flow(path,   c, i, key, value) {
  flow_skip()
  c = substr(flow_text, flow_at, 1)
  if (c != "{" && c != "[") { value = flow_scalar("[],}]"); emit(path, value == "null" || value == "~" ? "" : value); return }
  flow_at++
  for (i = 0; flow_at <= length(flow_text); i++) {
    flow_skip()
    if (substr(flow_text, flow_at, 1) ~ /^[]}]$/) break
    if (c == "{") { key = flow_scalar("[]:,}]"); flow_skip(); flow_at++; flow(child(path, key)) }
    else flow(item(path, i))
    flow_skip()
    if (substr(flow_text, flow_at, 1) == ",") flow_at++
  }
  flow_at++
}
{ sub(/\r$/, ""); lines[++count] = $0 }
END {
  at = 1
  block("", 0)
  system("mkdir -p \x27" folder "\x27" folders)
  for (i = 1; i <= written; i++) { printf "%s", values[i] > paths[i]; close(paths[i]) }
}

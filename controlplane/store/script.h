#pragma once

// The one way in which the directory in Redis is changed: all or nothing, whoever else is at it.
// Runs on: any thread; constant.

// KEYS: STORE_KEY_VERSION, STORE_KEY_OBJECTS, STORE_KEY_UNIQUES.
// ARGV: STORE_KEY_OBJECT, STORE_KEY_REFERRERS, STORE_CHANNEL; "add", "change" or "remove"; kind; SID;
// version the change is based on; then, one a line: keys of unique values, SIDs referred to, the
// parent domain's key and its SID (or nothing), rules "prefix field" of references that are cleared
// when their target goes (TRUNK-009); then pairs of field and value, empty to clear.
// Answers an array. "ok", then SID and HGETALL of each object touched; or why not:
//   "taken" · "gone" · "version" N · "missing" SID · "unique" key SID · "parent" key · "used" N SIDs…
extern const char store_script[];

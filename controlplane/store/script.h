#pragma once

// The one way in which the directory in Redis is changed: all or nothing, whoever else is at it.
// Runs on: any thread; constant.

// KEYS: STORE_KEY_VERSION, STORE_KEY_OBJECTS, STORE_KEY_UNIQUES.
// ARGV: STORE_KEY_OBJECT, STORE_KEY_REFERRERS, STORE_CHANNEL; rules "prefix field", one a line, of
// references that are cleared when their target goes (TRUNK-009); what is counted, "key most seconds", one a
// line; then nine for each object: "add",
// "change" or "remove"; kind; SID; version the change is based on; then, one a line: keys of unique
// values; SIDs referred to; the parent domain's key and its SID, or nothing; the prefix of a kind of
// which there may be so many, how many, and of which holder (none: the enabled ones count), or nothing;
// fields with a tab and the value behind them, which is empty to clear. Each may refer to those before it.
// Answers an array. "ok", then SID and HGETALL of each object touched; or why not, and for which, from 1:
//   "taken" n · "gone" n · "version" n N · "missing" n SID · "unique" n key SID · "parent" n key ·
//   "full" n N · "used" n N SIDs… · "often" 1 tally, from 1, seconds
extern const char store_script[];

#pragma once

// Every key this product keeps in Redis, its type and its lifetime. The braces make all keys of the
// directory one slot of a Redis Cluster, so that one script may change several (Redis Cluster
// specification, "hash tags").
// Runs on: any thread; constant.

// Integer, for ever. The number of changes made so far; each change takes the next one.
#define STORE_KEY_VERSION "trunkd:{directory}:version"

// Sorted set of the SIDs of all objects, scored by the version in which each was added.
#define STORE_KEY_OBJECTS "trunkd:{directory}:objects"

// Hash: key of a unique value ("trunk:domain::acme", directory/relation.h) → SID of its holder.
#define STORE_KEY_UNIQUES "trunkd:{directory}:uniques"

// + SID. Hash, as long as the object: field → value, and four of ours: ".kind", ".version" of the last
// change, ".uniques" and ".references" (one a line) that it has entered elsewhere.
#define STORE_KEY_OBJECT "trunkd:{directory}:object:"

// + SID. Set, as long as it has members: SIDs of the objects that refer to that one.
#define STORE_KEY_REFERRERS "trunkd:{directory}:referrers:"

// Sorted set, as long as an import goes on: SIDs of objects that are written but not yet in the set of
// all objects, so that no node loads them. What an import that died has left here is taken back by the next.
#define STORE_KEY_STAGED "trunkd:{directory}:staged"

// String, 30 s after the last step of an import: its random name. One import at a time.
#define STORE_KEY_IMPORT "trunkd:{directory}:import"

// + what is counted. Integer, as long as its time: how often something was done that may be done so often
// within a time (store.h, struct store_tally).
#define STORE_KEY_TALLY "trunkd:{directory}:tally:"

// Channel: "version kind SID put|drop", one message for each version; "version kind SID import" stands for
// as many versions as objects were imported, of which it names one.
#define STORE_CHANNEL "trunkd:{directory}:changes"

// What nodes share of the limits of calls. One slot of a Cluster too.

// Sorted set of the nodes that share, scored by when each is taken for dead unless it says otherwise
// before (milliseconds of Redis' clock). For ever; entries whose time is over go at the next beat.
#define STORE_KEY_LIMITS_NODES "trunkd:{limits}:nodes"

// Hash, for ever: a node's name and address → what it is called in this life ("ND…"). A restarted node
// ends its former life by it.
#define STORE_KEY_LIMITS_LIVES "trunkd:{limits}:lives"

// + "ND…". Hash: SID of a trunk or an account → its calls on that node. Lives limits.node_timeout_s after
// the node's last beat.
#define STORE_KEY_LIMITS_SLOTS "trunkd:{limits}:slots:"

// + SID of a trunk or an account. List of the moments of its last calls (microseconds of Redis' clock),
// the latest first, no more than its limit. Two seconds after the last.
#define STORE_KEY_LIMITS_WINDOW "trunkd:{limits}:window:"

#pragma once

// Many new objects at once: all of them appear, or none and it is said which of them cannot be. They are
// written in steps, so that Redis answers others meanwhile, and become visible in the last one. Every
// node, this one too, then loads the directory again, which holds up nobody.
// Runs on: control thread; no call waits, completion comes through the loop.

#include "store/store.h"

#define STORE_IMPORT_MAX 200000

// The objects are of one kind, refer to nothing and have at most one unique value each. They and their
// array (of malloc) are taken over. done as of store.h; its problem names the first values that are taken.
// ERR_BUSY: another import goes on, here or on another node.
void store_import(struct store *store, struct directory_object **objects, unsigned count,
		  store_done_fn done, void *context);

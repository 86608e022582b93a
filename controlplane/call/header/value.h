#pragma once

// The forms of values that pass from leg to leg: what each makes of one header's value.
// Runs on: control thread; pure.

#include "call/header/place.h"
#include "call/header/table.h"

// Writes what passes of the value; false: nothing does (and what was written does not count). A list
// leaves out what names the leg; whether the whole does is for the caller to see.
bool header_value_write(enum header_form form, struct text value, const struct places *places,
			struct writer *writer);

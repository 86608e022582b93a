#pragma once

// Words that name files here: what is in them goes to trunkd, or their whole path does.

#include "base/text.h"

// "file=FILE" ("-": standard input) as message=BASE64. False: *out_problem says what is wrong.
bool upload_message(struct writer *writer, struct text path, const char **out_problem);
// "config=FILE", with the path made absolute: trunkd is somewhere else.
bool upload_path(struct writer *writer, struct text path, const char **out_problem);

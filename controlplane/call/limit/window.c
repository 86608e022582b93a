// A ring of moments that grows with what passes. Runs on the control thread.

#include "call/limit/window.h"

#include <stdlib.h>

#define ROOM_FIRST 4

void window_clear(struct window *window)
{
	free(window->times_ms);
	*window = (struct window){ 0 };
}

unsigned window_count(struct window *window, uint64_t span_ms, uint64_t now_ms)
{
	while (window->count > 0 && now_ms - window->times_ms[window->first] >= span_ms) {
		window->first = (window->first + 1) % window->room;
		window->count--;
	}
	return window->count;
}

unsigned window_look(const struct window *window, uint64_t span_ms, uint64_t now_ms)
{
	unsigned low = 0, high = window->count; // the first that is young enough
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		uint64_t time_ms = window->times_ms[(window->first + middle) % window->room];
		if (now_ms - time_ms >= span_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return window->count - low;
}

bool window_make_room(struct window *window)
{
	if (window->count < window->room)
		return true;
	unsigned room = window->room > 0 ? window->room * 2 : ROOM_FIRST;
	uint64_t *times_ms = calloc(room, sizeof *times_ms);
	if (times_ms == NULL)
		return false;
	for (unsigned i = 0; i < window->count; i++)
		times_ms[i] = window->times_ms[(window->first + i) % window->room];
	free(window->times_ms);
	window->times_ms = times_ms;
	window->room = room;
	window->first = 0;
	return true;
}

void window_add(struct window *window, uint64_t now_ms)
{
	if (!window_make_room(window) && window->room == 0)
		return;
	if (window->count == window->room) {
		window->first = (window->first + 1) % window->room;
		window->count--;
	}
	window->times_ms[(window->first + window->count++) % window->room] = now_ms;
}

// The table of fixed size: found again, bounded under a flood of made-up addresses, and who is worth
// keeping stays.

#include "tests/check.h"

#include <string.h>

#include "sip/guard/table.h"

struct entry {
	struct sip_guard_slot slot;
	uint64_t value;
};

static struct sip_guard_key made_up(uint32_t number)
{
	struct address address = { .family = ADDRESS_IPV4 };
	memcpy(address.octets, &number, sizeof(number));
	return sip_guard_key_of(&address);
}

// So few that no set of eight is ever full: chance spreads them.
static void who_was_taken_in_is_found_again(void **state)
{
	(void)state;
	struct sip_guard_table table;
	CHECK_TRUE(sip_guard_table_init(&table, sizeof(struct entry), 1024));
	for (uint32_t i = 0; i < 40; i++)
		((struct entry *)sip_guard_table_take(&table, made_up(i), 10))->value = i;
	CHECK_NUMBER(table.used, 40);
	for (uint32_t i = 0; i < 40; i++)
		CHECK_NUMBER(((struct entry *)sip_guard_table_find(&table, made_up(i)))->value, i);
	assert_null(sip_guard_table_find(&table, made_up(40)));
	sip_guard_table_drop(&table, sip_guard_table_find(&table, made_up(7)));
	assert_null(sip_guard_table_find(&table, made_up(7)));
	CHECK_NUMBER(table.used, 39);
	sip_guard_table_clear(&table);
}

static void a_million_addresses_make_it_no_larger(void **state)
{
	(void)state;
	struct sip_guard_table table;
	CHECK_TRUE(sip_guard_table_init(&table, sizeof(struct entry), 1000));
	for (uint32_t i = 0; i < 1000000; i++)
		assert_non_null(sip_guard_table_take(&table, made_up(i), 1 + i));
	CHECK_NUMBER(table.set_count, 128); // 1,024 places
	CHECK_TRUE(table.used <= 1024);
	unsigned walked = 0;
	uint32_t at = 0;
	while (sip_guard_table_next(&table, &at) != NULL)
		walked++;
	CHECK_NUMBER(walked, table.used);
	sip_guard_table_clear(&table);
}

static void who_is_worth_keeping_longer_stays(void **state)
{
	(void)state;
	struct sip_guard_table table;
	unsigned kept = 0;
	CHECK_TRUE(sip_guard_table_init(&table, sizeof(struct entry), 1024));
	// So few that no set of eight gets nine of them by chance.
	for (uint32_t i = 0; i < 100; i++)
		sip_guard_table_take(&table, made_up(i), 5000);
	for (uint32_t i = 1000; i < 200000; i++)
		sip_guard_table_take(&table, made_up(i), 100);
	for (uint32_t i = 0; i < 100; i++)
		kept += sip_guard_table_find(&table, made_up(i)) != NULL;
	CHECK_NUMBER(kept, 100);
	sip_guard_table_clear(&table);
}

static void a_full_set_takes_nobody_worth_less(void **state)
{
	(void)state;
	struct sip_guard_table table;
	CHECK_TRUE(sip_guard_table_init(&table, sizeof(struct entry), 1)); // one set
	for (uint32_t i = 0; i < SIP_GUARD_TABLE_WAYS; i++)
		assert_non_null(sip_guard_table_take(&table, made_up(i), SIP_GUARD_FOR_EVER));
	assert_null(sip_guard_table_take(&table, made_up(99), SIP_GUARD_FOR_EVER));
	sip_guard_table_clear(&table);
}

static void an_ipv6_source_is_its_64(void **state)
{
	(void)state;
	struct address one, two, other, four;
	CHECK_TRUE(address_parse(TEXT("2001:db8::1"), &one));
	CHECK_TRUE(address_parse(TEXT("2001:db8::ffff:0:0:2"), &two));
	CHECK_TRUE(address_parse(TEXT("2001:db8:0:1::1"), &other));
	CHECK_TRUE(address_parse(TEXT("32.1.13.184"), &four)); // the same first octets
	struct sip_guard_key key = sip_guard_key_of(&one), same = sip_guard_key_of(&two);
	CHECK_TRUE(memcmp(&key, &same, sizeof(key)) == 0);
	same = sip_guard_key_of(&other);
	CHECK_FALSE(memcmp(&key, &same, sizeof(key)) == 0);
	same = sip_guard_key_of(&four);
	CHECK_FALSE(memcmp(&key, &same, sizeof(key)) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_was_taken_in_is_found_again),
		TEST(a_million_addresses_make_it_no_larger),
		TEST(who_is_worth_keeping_longer_stays),
		TEST(a_full_set_takes_nobody_worth_less),
		TEST(an_ipv6_source_is_its_64),
	};
	return RUN_TESTS(tests);
}

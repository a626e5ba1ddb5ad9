/*
 * Which values hold secrets. The hive does not say it, so this is a list; docs/cluster.md,
 * "Values that are not shown", has the reason for each entry. It rather hides too much: what
 * is hidden by mistake can still be had with any hive viewer, what is shown cannot be taken
 * back from a log file or a ticket.
 */
#include <string.h>
#include <strings.h>

#include "checkpoint/cluster.h"

/* Properties that are known to hold keys, credentials or who may do what. */
static const char *const secret_names[] = {
	"ResourceData",        /* Network Name: the encrypted password of its account */
	"CryptoContainerGUID", /* Network Name: the container with the key for it */
	"PrimaryKey",          "PrimaryToken", /* Cloud Witness: the storage account's key and token
	                                        */
	"Security Descriptor", "Security",     "SharedVolumeSecurityDescriptor",
};

/* In the private properties of any resource: a vendor's DLL may keep anything there. */
static const char *const secret_words[] = {
	"password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "privatekey",
};

static const char *const secret_ends[] = { "Key" }; /* AccountKey, SharedKey, AccessKey */

static bool contains_word(const char *name, const char *word)
{
	size_t length = strlen(word);

	for (; *name; name++) {
		if (strncasecmp(name, word, length) == 0)
			return true;
	}
	return false;
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcasecmp(name + length - tail, end) == 0;
}

/* Is NAME one of the parts of the path KEY? */
static bool has_part(const char *key, const char *name)
{
	size_t length = strlen(name);

	for (;;) {
		size_t part = strcspn(key, "\\");

		if (part == length && strncasecmp(key, name, length) == 0)
			return true;
		if (!key[part])
			return false;
		key += part + 1;
	}
}

bool cluster_secret(const char *key, const char *value_name)
{
	for (unsigned i = 0; i < sizeof(secret_names) / sizeof(*secret_names); i++) {
		if (strcasecmp(value_name, secret_names[i]) == 0)
			return true;
	}
	if (has_part(key, "Checkpoints"))
		return true; /* images of applications' keys, which may hold anything */
	if (!has_part(key, "Parameters"))
		return false;
	for (unsigned i = 0; i < sizeof(secret_words) / sizeof(*secret_words); i++) {
		if (contains_word(value_name, secret_words[i]))
			return true;
	}
	for (unsigned i = 0; i < sizeof(secret_ends) / sizeof(*secret_ends); i++) {
		if (ends_with(value_name, secret_ends[i]))
			return true;
	}
	return false;
}

/*
 * Failing allocations, by rewriting the addresses of malloc, calloc and realloc in the
 * relocated tables of the objects that interest us. libc's own calls and those of sanitizers
 * and cmocka stay as they are. ELF with 64 bits and relocations with addends; elsewhere no
 * failure fires, and allocfail_run says so.
 */
#include "tests/allocfail.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <talloc.h>
#include <unistd.h>

#include "tests/testing.h"

#define ROUNDS_MAX 200000

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);

static bool armed, persistent;
static long countdown, fired;

/* Bodies may have threads: each allocation is counted once, whoever makes it. */
static bool fails(void)
{
	long left;

	if (!armed)
		return false;
	left = __atomic_sub_fetch(&countdown, 1, __ATOMIC_RELAXED);
	if (left > 0 || (left < 0 && !persistent))
		return false;
	__atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
	return true;
}

static void *failing_malloc(size_t size)
{
	return fails() ? NULL : real_malloc(size);
}

static void *failing_calloc(size_t count, size_t size)
{
	return fails() ? NULL : real_calloc(count, size);
}

static void *failing_realloc(void *old, size_t size)
{
	return fails() ? NULL : real_realloc(old, size);
}

void allocfail_pause(void)
{
	armed = false;
}

void allocfail_resume(void)
{
	armed = true;
}

/* --- the tables --- */

/* The third is a pointer in initialized data: jansson calls malloc through one. */
#if defined(__x86_64__)
#define IS_SLOT(type)                                                                              \
	((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT || (type) == R_X86_64_64)
#elif defined(__aarch64__)
#define IS_SLOT(type)                                                                              \
	((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT || (type) == R_AARCH64_ABS64)
#else
#define IS_SLOT(type) ((void)(type), 0)
#endif

static void *replacement(const char *symbol)
{
	if (strcmp(symbol, "malloc") == 0)
		return (void *)failing_malloc;
	if (strcmp(symbol, "calloc") == 0)
		return (void *)failing_calloc;
	return strcmp(symbol, "realloc") == 0 ? (void *)failing_realloc : NULL;
}

/* Writes a slot that may be read-only since the program was loaded. */
static void set_slot(void **slot, void *to)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)slot & ~(page - 1);

	if (mprotect((void *)start, page, PROT_READ | PROT_WRITE) != 0) {
		perror("# allocfail: mprotect");
		abort();
	}
	*slot = to;
}

static void change_table(ElfW(Addr) base, const Elf64_Rela *table, size_t size,
                         const Elf64_Sym *symbols, const char *names)
{
	for (size_t i = 0; i < size / sizeof(*table); i++) {
		const char *name = names + symbols[ELF64_R_SYM(table[i].r_info)].st_name;
		void *to = IS_SLOT(ELF64_R_TYPE(table[i].r_info)) ? replacement(name) : NULL;

		if (to)
			set_slot((void **)(base + table[i].r_offset), to);
	}
}

static int change_object(struct dl_phdr_info *info, size_t size, void *data)
{
	static const char *const ours[] = { "libtalloc", "libhivex", "libjansson", "libz.",
		                            "libsmartcols" };
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t value[DT_NUM] = { 0 };
	bool wanted = info->dlpi_name[0] == '\0'; /* the program itself */

	(void)size;
	(void)data;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		wanted = wanted || strstr(info->dlpi_name, ours[i]);
	for (int i = 0; wanted && i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	}
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag >= 0 && dynamic->d_tag < DT_NUM)
			value[dynamic->d_tag] = dynamic->d_un.d_val;
	}
	if (!value[DT_SYMTAB] || !value[DT_STRTAB])
		return 0;
	change_table(info->dlpi_addr, (const void *)value[DT_JMPREL], value[DT_PLTRELSZ],
	             (const void *)value[DT_SYMTAB], (const char *)value[DT_STRTAB]);
	change_table(info->dlpi_addr, (const void *)value[DT_RELA], value[DT_RELASZ],
	             (const void *)value[DT_SYMTAB], (const char *)value[DT_STRTAB]);
	return 0;
}

static void install(void)
{
	if (real_malloc)
		return;
	*(void **)&real_calloc = dlsym(RTLD_DEFAULT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_DEFAULT, "realloc");
	*(void **)&real_malloc = dlsym(RTLD_DEFAULT, "malloc");
	dl_iterate_phdr(change_object, NULL);
}

/* --- rounds --- */

static unsigned open_files(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static const char *judge(bool done, const struct error *err, unsigned flags, size_t blocks,
                         unsigned files)
{
	if (!done && !fired)
		return "it fails although no allocation does";
	if (!done && !err->text[0])
		return "it fails without a text";
	if (!done && err->kind != ERROR_INTERNAL && !(flags & ALLOCFAIL_ANY_KIND))
		return "it takes the lack of memory for something else";
	if (talloc_total_blocks(NULL) != blocks)
		return "it leaves talloc blocks behind";
	return open_files() != files ? "it leaves descriptors open" : NULL;
}

static long step(long round, unsigned flags)
{
	return flags & ALLOCFAIL_SPARSE && round >= 100 ? (long)testing_rounds(7, 29) : 1;
}

int allocfail_run(allocfail_body *body, void *data, unsigned flags)
{
	int points = 0;

	install();
	for (int series = 0; series < 2; series++) {
		for (long round = 1; round < ROUNDS_MAX; round += step(round, flags)) {
			struct error err = { 0 };
			size_t blocks = talloc_total_blocks(NULL);
			unsigned files = open_files();
			const char *wrong;
			bool done;

			persistent = series == 1;
			countdown = round;
			fired = 0;
			armed = true;
			done = body(data, &err);
			armed = false;
			wrong = judge(done, &err, flags, blocks, files);
			if (wrong) {
				fprintf(stderr, "# allocation %ld%s: %s (error %d: %s)\n", round,
				        persistent ? " and all after it" : "", wrong, err.kind,
				        err.text);
				return -1;
			}
			if (!fired)
				break;
			points++;
		}
	}
	return points;
}

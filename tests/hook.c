/*
 * Rewriting the addresses of functions in the relocated tables of the objects that interest us.
 * libc's own calls and those of sanitizers and cmocka stay as they are. ELF with 64 bits and
 * relocations with addends; elsewhere nothing is changed.
 */
#include "tests/hook.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

struct hooks {
	const struct hook *list;
	size_t count;
	const char *const *libraries;
};

static void *replacement(const struct hooks *hooks, const char *symbol)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (strcmp(symbol, hooks->list[i].symbol) == 0)
			return hooks->list[i].to;
	}
	return NULL;
}

/* Writes a slot that may be read-only since the program was loaded. */
static void set_slot(void **slot, void *to)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)slot & ~(page - 1);

	if (mprotect((void *)start, page, PROT_READ | PROT_WRITE) != 0) {
		perror("# hook: mprotect");
		abort();
	}
	*slot = to;
}

static void change_table(const struct hooks *hooks, ElfW(Addr) base, const Elf64_Rela *table,
                         size_t size, const Elf64_Sym *symbols, const char *names)
{
	for (size_t i = 0; i < size / sizeof(*table); i++) {
		const char *name = names + symbols[ELF64_R_SYM(table[i].r_info)].st_name;
		void *to = IS_SLOT(ELF64_R_TYPE(table[i].r_info)) ? replacement(hooks, name) : NULL;

		if (to)
			set_slot((void **)(base + table[i].r_offset), to);
	}
}

static int change_object(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct hooks *hooks = data;
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t value[DT_NUM] = { 0 };
	bool wanted = info->dlpi_name[0] == '\0'; /* the program itself */

	(void)size;
	for (const char *const *name = hooks->libraries; name && *name; name++)
		wanted = wanted || strstr(info->dlpi_name, *name);
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
	change_table(hooks, info->dlpi_addr, (const void *)value[DT_JMPREL], value[DT_PLTRELSZ],
	             (const void *)value[DT_SYMTAB], (const char *)value[DT_STRTAB]);
	change_table(hooks, info->dlpi_addr, (const void *)value[DT_RELA], value[DT_RELASZ],
	             (const void *)value[DT_SYMTAB], (const char *)value[DT_STRTAB]);
	return 0;
}

void hook_install(const struct hook *list, size_t count, const char *const *libraries)
{
	struct hooks hooks = { list, count, libraries };

	dl_iterate_phdr(change_object, &hooks);
}

void *hook_real(const char *symbol)
{
	return dlsym(RTLD_DEFAULT, symbol);
}

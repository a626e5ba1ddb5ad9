/*
 * system: the Windows on a volume, as far as a cluster node is concerned.
 *
 * Finds the Windows directory (Windows or WINNT), the configuration hives, the node's name,
 * product and version, and says what GetNodeClusterState would say of a node that is
 * switched off. Whether a node is running cannot be known from its disk, and is never claimed.
 *
 * The state, by [MS-CMRP] 3.1.3 and the documentation of GetNodeClusterState:
 *
 *	generation 1	SOFTWARE\Microsoft\Windows NT\CurrentVersion\Cluster Server,
 *			ClusterInstallationState: absent, or 0 without a Cluster directory, is
 *			NotInstalled; 0 and 1 (files copied) NotConfigured; 2 (configured) and
 *			3 (upgraded) NotRunning
 *	generation 2	the service ClusSvc in the current control set: absent is NotInstalled,
 *			disabled (Start is 4) NotConfigured, anything else NotRunning
 *
 * A SYSTEM or SOFTWARE hive that is missing or damaged does not stop system_open: the problem
 * hive-missing, hive-dirty or hive-damaged says so, and what only that hive knows stays NULL.
 * If the hive that decides is lost, state_known is false, the problem state-unknown says it, and
 * the state is what the rest suggests: NotRunning if there is a ClusDb, else NotInstalled.
 * If SOFTWARE is lost, the generation is told by what Windows has put on the volume; if even
 * that says nothing it is 0, and state_known is false.
 *
 * Weights: PROBLEM_HEALS for what an administrator must look at, PROBLEM_NOTE for what is
 * good to know.
 */
#ifndef CHECKPOINT_DISK_SYSTEM_H
#define CHECKPOINT_DISK_SYSTEM_H

#include "checkpoint/disk/volume.h"
#include "hive/hive.h"

/* ClusterStateNotInstalled, ...NotConfigured, ...NotRunning of clusapi.h */
enum node_state { NODE_NOT_INSTALLED = 0, NODE_NOT_CONFIGURED = 1, NODE_NOT_RUNNING = 3 };

enum system_hive {
	SYSTEM_SYSTEM,
	SYSTEM_SOFTWARE,
	SYSTEM_SAM,
	SYSTEM_SECURITY,
	SYSTEM_DEFAULT,
	SYSTEM_COMPONENTS,
	SYSTEM_DRIVERS,
	SYSTEM_CLUSTER,
	SYSTEM_HIVES
};

struct system {
	struct volume *volume;
	char *windows;             /* path of the Windows directory */
	char *hives[SYSTEM_HIVES]; /* paths as the volume spells them; NULL if absent */
	unsigned generation;       /* 1: NT 4 to 2003; 2: 2008 and later; 0: unknown */
	enum node_state state;
	bool state_known;                /* false: a guess, because a hive is missing or damaged */
	char *node;                      /* computer name, or NULL */
	char *product;                   /* "Windows Server 2019 Datacenter", or NULL */
	char *version;                   /* "10.0.17763" or "5.2.3790", as the hive says; or NULL */
	char *machine_guid;              /* Cryptography\MachineGuid if it is a GUID, or NULL */
	char *control_set;               /* "ControlSet002", from Select\Current; or NULL */
	bool hibernated;                 /* hiberfil.sys has the signature of a hibernated system */
	char *force_quorum;              /* ClusSvc\Parameters\ForceQuorum left behind, or NULL */
	bool service;                    /* there is a service ClusSvc */
	uint32_t service_start;          /* its Start; UINT32_MAX if there is none */
	struct problems *problems;       /* hibernated, resume-tried, hibernation-unknown,
	                                    service-disabled, forcequorum-left-behind,
	                                    clusdb-missing, hive-missing, hive-dirty, hive-damaged,
	                                    control-set-unknown, state-unknown, and from every hive
	                                    when it is opened: kernel-transactions-pending,
	                                    log-missing, log-gap */
	struct hive *open[SYSTEM_HIVES]; /* opened on demand by system_hive() */
	struct error *failed[SYSTEM_HIVES]; /* why it could not be; not tried again */
	struct hive_options options;        /* how hives are opened */
};

/*
 * PATH: a directory with a Windows volume. OPTIONS (may be NULL) are for all its hives.
 * ERROR_SOURCE if there is no Windows on it, or more than one. ClusDb is not opened.
 */
struct system *system_open(TALLOC_CTX *ctx, const char *path, const struct hive_options *options,
                           struct error *err);

/* "NotInstalled", "NotConfigured", "NotRunning" */
const char *node_state_name(enum node_state state);

/* "SYSTEM", "SOFTWARE", ... "CLUSDB" */
const char *system_hive_name(enum system_hive which);

/*
 * A hive, opened at the first call and kept until SYSTEM goes. ERROR_SOURCE with errno ENOENT if
 * it is absent, otherwise what hive_open says; a failure is kept too. What there is to say
 * of its logs and kernel transactions is added to system->problems when it is opened.
 */
struct hive *system_hive(struct system *system, enum system_hive which, struct error *err);

#endif

/*
 * system: the Windows on a volume, as far as a cluster node is concerned.
 *
 * Finds the Windows directory (Windows or WINNT), the configuration hives, the node's name,
 * product and version, and says what GetNodeClusterState would say of a node that is
 * switched off (facts: [MS-CMRP] 3.1.3, sdk-api GetNodeClusterState; docs/architecture.md).
 * Whether a node is running cannot be known from its disk, and is never claimed.
 */
#ifndef CHECKPOINT_SYSTEM_H
#define CHECKPOINT_SYSTEM_H

#include "checkpoint/volume.h"
#include "hive/hive.h"

/* ClusterStateNotInstalled, ...NotConfigured, ...NotRunning of clusapi.h */
enum node_state { NODE_NOT_INSTALLED = 0, NODE_NOT_CONFIGURED = 1, NODE_NOT_RUNNING = 3 };

enum system_hive { SYSTEM_SYSTEM, SYSTEM_SOFTWARE, SYSTEM_SAM, SYSTEM_SECURITY, SYSTEM_DEFAULT,
		   SYSTEM_COMPONENTS, SYSTEM_DRIVERS, SYSTEM_CLUSTER, SYSTEM_HIVES };

struct system {
	struct volume *volume;
	char *windows;			/* path of the Windows directory */
	char *hives[SYSTEM_HIVES];	/* paths as the volume spells them; NULL if absent */
	unsigned generation;		/* 1: NT 4 to 2003; 2: 2008 and later */
	enum node_state state;
	char *node;			/* computer name, or NULL */
	char *product;			/* "Windows Server 2019 Datacenter", or NULL */
	char *version;			/* "10.0.17763", or NULL */
	char *machine_guid;		/* Cryptography\MachineGuid, or NULL */
	char *control_set;		/* "ControlSet002", from Select\Current */
	bool hibernated;		/* hiberfil.sys has the signature of a hibernated system */
	char *force_quorum;		/* ClusSvc\Parameters\ForceQuorum left behind, or NULL */
	uint32_t service_start;		/* Start of ClusSvc; UINT32_MAX if there is no service */
	struct problems *problems;	/* codes of the contract: hibernated, service-disabled,
					   forcequorum-left-behind, clusdb-missing, log-missing,
					   kernel-transactions-pending, ... */
	struct hive *open[SYSTEM_HIVES];	/* opened on demand by system_hive() */
	struct hive_options options;	/* how hives are opened */
};

/* PATH: a directory with a Windows volume. ERROR_SOURCE if there is no Windows on it. */
struct system *system_open(TALLOC_CTX *ctx, const char *path, const struct hive_options *options,
			   struct error *err);

/* "NotInstalled", "NotConfigured", "NotRunning" */
const char *node_state_name(enum node_state state);

/* A configuration hive, opened at the first call and kept. ERROR_SOURCE if it is absent. */
struct hive *system_hive(struct system *system, enum system_hive which, struct error *err);

#endif

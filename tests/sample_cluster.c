/*
 * The databases of the sample clusters. Hosts, names and GUIDs are invented, addresses are
 * from the ranges for documentation (RFC 5737). Planted: a group that names a resource which
 * does not exist ({gone}); registry checkpoints of which one lacks its NUL, one is in odd
 * letters, one names a key that is nowhere, one has HKEY_LOCAL_MACHINE\ in front and one lies
 * inside another resource's; crypto checkpoints of which one has no container on the disk.
 */
#include "tests/sample.h"

#define SQL "Software\\Microsoft\\Microsoft SQL Server\\{instance}"
#define PROVIDER "Microsoft Enhanced Cryptographic Provider v1.0"

const struct sample sample_clusters[2] = {
	{ 1,
	  "OSTSEE",
	  { "KIEL", "LÜBECK" },
	  "MSSQL.1",
	  "192.0.2",
	  "OstseeKeys",
	  127674144000000000u /* 2005-08-01 */ },
	{ 2,
	  "NORDSEE",
	  { "EMDEN", "HUSUM" },
	  "MSSQL15.MSSQLSERVER",
	  "198.51.100",
	  "NordseeKeys",
	  132223968000000000u /* 2020-01-02 */ },
};

#define RESOURCE(guid, called, kind)                                                               \
	{ '*', 's', "Resources\\" guid, "Name", called },                                          \
		{ '*', 's', "Resources\\" guid, "Type", kind },                                    \
		{ '*', 'd', "Resources\\" guid, "PersistentState", "1" },                          \
	{                                                                                          \
		'*', 'd', "Resources\\" guid, "RestartAction", "2"                                 \
	}

#define INTERFACE(node, number, network, called, host)                                             \
	{ '*', 's', "NetworkInterfaces\\{if-" network number "}", "Name",                          \
	  "{" node "} - " called },                                                                \
		{ '*', 's', "NetworkInterfaces\\{if-" network number "}", "Node", number },        \
		{ '*', 's', "NetworkInterfaces\\{if-" network number "}", "Network",               \
		  "{network-" network "}" },                                                       \
	{                                                                                          \
		'*', 's', "NetworkInterfaces\\{if-" network number "}", "Address", host            \
	}

#define NODE(number, host)                                                                         \
	{ '*', 's', "Nodes\\" number, "NodeName", host },                                          \
		{ '*', 'd', "Nodes\\" number, "NodeHighestVersion", "{level}" },                   \
		{ '*', 'd', "Nodes\\" number, "NodeLowestVersion", "{level}" },                    \
	{                                                                                          \
		'*', 'd', "Nodes\\" number, "BuildNumber", "{build}"                               \
	}

#define TYPE(called, dll)                                                                          \
	{ '*', 's', "ResourceTypes\\" called, "DllName", dll },                                    \
		{ '*', 'd', "ResourceTypes\\" called, "LooksAlivePollInterval", "5000" },          \
	{                                                                                          \
		'*', 'd', "ResourceTypes\\" called, "IsAlivePollInterval", "60000"                 \
	}

const struct sample_row sample_database[] = {
	{ '*', 'S', "", "", "1" },
	{ '*', 's', "", "ClusterName", "{cluster}" },
	{ '*', 's', "", "ClusterInstanceID", "{id}" },
	{ '*', 'D', "", "Security Descriptor", "1" },
	{ '*', 's', "", "Description", "Aufträge und Läger, \xd0\xb4\xd0\xb2\xd0\xb0 узла" },
	{ '*', 'd', "", "DefaultNetworkRole", "2" },
	{ '2', 'd', "", "ClusterFunctionalLevel", "10" },
	{ '2', 's', "", "PaxosTag", "3:3:276" },
	NODE("1", "{node1}"),
	NODE("2", "{node2}"),
	{ '1', 's', "Nodes\\1", "CSDVersion", "Service Pack 2" },
	{ '1', 's', "Nodes\\2", "CSDVersion", "Service Pack 2" },

	{ '*', 's', "Groups\\{g-core}", "Name", "Cluster Group" },
	{ '*', 'd', "Groups\\{g-core}", "PersistentState", "1" },
	{ '*', 'm', "Groups\\{g-core}", "Contains", "{core-ip}|{core-name}|{quorum}" },
	{ '*', 's', "Groups\\{g-sql}", "Name", "SQL Group" },
	{ '*', 'd', "Groups\\{g-sql}", "PersistentState", "1" },
	{ '*', 'm', "Groups\\{g-sql}", "Contains",
	  "{disk}|{sql-ip}|{sql-name}|{sql}|{agent}|{gone}" },
	{ '*', 's', "Groups\\{g-app}", "Name", "Aufträge" },
	{ '*', 'd', "Groups\\{g-app}", "PersistentState", "1" },
	{ '*', 'm', "Groups\\{g-app}", "Contains", "{app}|{share}" },

	RESOURCE("{core-ip}", "Cluster IP Address", "IP Address"),
	{ '*', 's', "Resources\\{core-ip}\\Parameters", "Address", "{net}.10" },
	{ '*', 's', "Resources\\{core-ip}\\Parameters", "SubnetMask", "255.255.255.0" },
	{ '*', 's', "Resources\\{core-ip}\\Parameters", "Network", "Public" },
	RESOURCE("{core-name}", "Cluster Name", "Network Name"),
	{ '*', 's', "Resources\\{core-name}\\Parameters", "Name", "{cluster}" },
	{ '*', 'S', "Resources\\{core-name}\\Parameters", "", "3" },
	{ '*', 'b', "Resources\\{core-name}\\Parameters", "ResourceData", "200" },
	{ '1', 'm', "Resources\\{core-name}", "Dependencies", "{core-ip}" },
	{ '2', 'm', "Dependencies\\{core-name}", "Provider", "{core-ip}" },
	RESOURCE("{quorum}", "Disk Q:", "Physical Disk"),
	{ '*', 'd', "Resources\\{quorum}\\Parameters", "Signature", "0x1a2b3c4d" },
	RESOURCE("{disk}", "Disk S:", "Physical Disk"),
	{ '*', 'd', "Resources\\{disk}\\Parameters", "Signature", "0x5e6f7081" },
	RESOURCE("{sql-ip}", "SQL IP", "IP Address"),
	{ '*', 's', "Resources\\{sql-ip}\\Parameters", "Address", "{net}.20" },
	RESOURCE("{sql-name}", "SQL Name", "Network Name"),
	{ '*', 's', "Resources\\{sql-name}\\Parameters", "Name", "{cluster}SQL" },
	{ '1', 'm', "Resources\\{sql-name}", "Dependencies", "{sql-ip}" },
	{ '2', 'm', "Dependencies\\{sql-name}", "Provider", "{sql-ip}" },

	RESOURCE("{sql}", "SQL Server", "SQL Server"),
	{ '*', 's', "Resources\\{sql}\\Parameters", "InstanceName", "MSSQLSERVER" },
	{ '*', 's', "Resources\\{sql}\\Parameters", "VirtualServerName", "{cluster}SQL" },
	{ '1', 'm', "Resources\\{sql}", "Dependencies", "{disk}|{sql-name}" },
	{ '2', 'm', "Dependencies\\{sql}", "Provider", "{disk}|{sql-name}" },
	{ '*', 's', "Resources\\{sql}\\RegSync", "00000001", SQL "\\MSSQLSERVER" },
	{ '*', 'n', "Resources\\{sql}\\RegSync", "00000002", SQL "\\Cluster" },
	{ '*', 's', "Resources\\{sql}\\RegSync", "00000003",
	  "SOFTWARE\\MICROSOFT\\MICROSOFT SQL SERVER\\{instance}\\REPLICATION" },
	{ '*', 's', "Resources\\{sql}\\RegSync", "00000004", SQL "\\Providers" },
	{ '*', 's', "Resources\\{sql}\\CryptoSync", "00000001", "1\\" PROVIDER "\\{container}" },
	RESOURCE("{agent}", "SQL Server Agent", "SQL Server Agent"),
	{ '1', 'm', "Resources\\{agent}", "Dependencies", "{sql}" },
	{ '2', 'm', "Dependencies\\{agent}", "Provider", "{sql}" },
	{ '*', 's', "Resources\\{agent}\\RegSync", "00000001", SQL "\\SQLServerAgent" },

	RESOURCE("{app}", "Lager Größe", "Generic Service"),
	{ '*', 's', "Resources\\{app}\\Parameters", "ServiceName", "ContosoLager" },
	{ '*', 's', "Resources\\{app}\\RegSync", "00000001",
	  "SYSTEM\\CurrentControlSet\\Services\\ContosoLager" },
	{ '*', 's', "Resources\\{app}\\RegSync", "00000002",
	  "HKEY_LOCAL_MACHINE\\SOFTWARE\\Contoso\\Lager" },
	{ '*', 's', "Resources\\{app}\\RegSync", "00000003",
	  SQL "\\MSSQLServer\\SuperSocketNetLib" },
	{ '*', 's', "Resources\\{app}\\CryptoSync", "00000001", "1\\\\ContosoSession" },
	RESOURCE("{share}", "Läger", "File Share"),
	{ '*', 's', "Resources\\{share}\\Parameters", "ShareName", "Läger" },
	{ '*', 's', "Resources\\{share}\\Parameters", "Path", "S:\\läger" },
	{ '*', 'd', "Resources\\{share}\\Parameters", "MaxUsers", "0xffffffff" },
	{ '2', 'b', "Checkpoints\\{sql}", "00000001", "48" },
	{ '2', 'b', "Checkpoints\\{app}", "00000001", "48" },

	TYPE("Physical Disk", "clusres.dll"),
	TYPE("IP Address", "clusres.dll"),
	TYPE("Network Name", "clusres.dll"),
	TYPE("File Share", "clusres.dll"),
	TYPE("Generic Service", "clusres.dll"),
	TYPE("SQL Server", "sqsrvres.dll"),
	TYPE("SQL Server Agent", "sqagtres.dll"),
	TYPE("Кластер печати", "contoso.dll"),

	{ '*', 's', "Networks\\{network-a}", "Name", "Public" },
	{ '*', 'd', "Networks\\{network-a}", "Role", "3" },
	{ '*', 's', "Networks\\{network-a}", "Address", "{net}.0" },
	{ '*', 's', "Networks\\{network-a}", "AddressMask", "255.255.255.0" },
	{ '*', 's', "Networks\\{network-b}", "Name", "Herzschlag über Kreuz" },
	{ '*', 'd', "Networks\\{network-b}", "Role", "1" },
	{ '*', 's', "Networks\\{network-b}", "Address", "203.0.113.0" },
	{ '*', 's', "Networks\\{network-b}", "AddressMask", "255.255.255.0" },
	INTERFACE("node1", "1", "a", "Public", "{net}.1"),
	INTERFACE("node2", "2", "a", "Public", "{net}.2"),
	INTERFACE("node1", "1", "b", "Herzschlag über Kreuz", "203.0.113.1"),
	INTERFACE("node2", "2", "b", "Herzschlag über Kreuz", "203.0.113.2"),

	{ '*', 's', "Quorum", "Path", "MSCS\\" },
	{ '*', 's', "Quorum", "Resource", "{quorum}" },
	{ '*', 'd', "Quorum", "MaxQuorumLogSize", "4194304" },
	{ 0 },
};

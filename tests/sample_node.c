/* The hives of the sample nodes, as small as a node's can be. Everything in them is invented. */
#include "tests/sample.h"

#define NT "Microsoft\\Windows NT\\CurrentVersion"
#define SQL "Microsoft\\Microsoft SQL Server\\{instance}"

const struct sample_row sample_software[] = {
	{ '1', 's', NT, "ProductName", "Microsoft Windows Server 2003" },
	{ '2', 's', NT, "ProductName", "Windows Server 2019 Datacenter" },
	{ '1', 's', NT, "CurrentVersion", "5.2" },
	{ '2', 's', NT, "CurrentVersion", "6.3" },
	{ '*', 's', NT, "CurrentBuild", "{build}" },
	{ '*', 's', NT, "CurrentBuildNumber", "{build}" },
	{ '2', 'd', NT, "CurrentMajorVersionNumber", "10" },
	{ '2', 'd', NT, "CurrentMinorVersionNumber", "0" },
	{ '1', 'd', NT "\\Cluster Server", "ClusterInstallationState", "2" },
	{ '*', 's', "Microsoft\\Cryptography", "MachineGuid", "{machine}" },
	{ '*', 's', "Classes\\.lager", "", "Contoso.Läger" },

	{ '*', 'S', SQL "\\MSSQLServer", "", "2" },
	{ '*', 's', SQL "\\MSSQLServer", "DefaultData", "S:\\MSSQL\\Data" },
	{ '*', 'd', SQL "\\MSSQLServer", "LoginMode", "2" },
	{ '*', 's', SQL "\\MSSQLServer", "", "default" },
	{ '*', 's', SQL "\\MSSQLServer\\Parameters", "SQLArg0", "-dS:\\master.mdf" },
	{ '*', 's', SQL "\\MSSQLServer\\Parameters", "SQLArg1", "-eS:\\LOG" },
	{ '*', 'c', SQL "\\MSSQLServer\\SuperSocketNetLib\\Tcp", "", "TcpClass" },
	{ '*', 's', SQL "\\MSSQLServer\\SuperSocketNetLib\\Tcp\\IP1", "IpAddress", "{net}.20" },
	{ '*', 's', SQL "\\MSSQLServer\\SuperSocketNetLib\\Tcp\\IP1", "TcpPort", "1433" },
	{ '*', 'l', SQL "\\MSSQLServer\\CurrentVersion", "",
	  "\\Registry\\Machine\\Software\\Microsoft\\MSSQLServer" },
	{ '*', 'S', SQL "\\Cluster", "", "3" },
	{ '*', 's', SQL "\\Cluster", "ClusterName", "{cluster}SQL" },
	{ '*', 's', SQL "\\Cluster\\Names\\Архив", "Архив", "архив" },
	{ '*', 's', SQL "\\Cluster\\Names\\Σίσυφος", "Σίσυφος", "σίσυφος" },
	{ '*', 's', SQL "\\Cluster\\Names\\straße", "straße", "Straße" },
	{ '*', 's', SQL "\\Cluster\\Names\\STRASSE", "STRASSE", "Strasse" },
	{ '*', 's', SQL "\\Cluster\\Names\\ÿ", "ÿ", "Ÿ" },
	{ '*', 's', SQL "\\Cluster\\Names\\été", "été", "Été" },
	{ '*', 's', SQL "\\Cluster\\Names\\💾 disk", "💾", "💾" },
	{ '*', 'b', SQL "\\Cluster\\Names", "empty", "0" },
	{ '*', 'b', SQL "\\Cluster\\Names", "three", "3" },
	{ '*', 'b', SQL "\\Replication", "Blob", "20000" },
	{ '*', 'm', SQL "\\Replication", "Sites", "Kiel|Lübeck|Emden" },
	{ '*', 'q', SQL "\\Replication", "Last", "0x1d5c0f3a2b4c6d8" },
	{ '*', 'S', SQL "\\SQLServerAgent", "", "2" },
	{ '*', 'd', SQL "\\SQLServerAgent", "JobHistoryMaxRows", "1000" },
	{ '*', 'd', SQL "\\SQLServerAgent\\Alerts\\Alert 1", "Severity", "19" },
	{ '*', 'd', SQL "\\SQLServerAgent\\Alerts\\Alert 2", "Severity", "25" },
	{ '*', 's', "Contoso\\Lager", "Größe", "groß" },
	{ '*', 'd', "Contoso\\Lager\\Settings", "Threads", "4" },
	{ 0 },
};

#define CONTROL_SET(set, host, start)                                                              \
	{ '*', 's', set "\\Control\\ComputerName\\ComputerName", "ComputerName", host },           \
		{ '*', 'm', set "\\Control\\Session Manager", "BootExecute",                       \
		  "autocheck autochk *" },                                                         \
		{ '*', 'd', set "\\Services\\Tcpip", "Start", "1" },                               \
		{ '*', 'x', set "\\Services\\Tcpip", "ImagePath",                                  \
		  "system32\\drivers\\tcpip.sys" },                                                \
		{ '*', 'd', set "\\Services\\ClusSvc", "Start", start },                           \
		{ '*', 'd', set "\\Services\\ClusSvc", "Type", "16" },                             \
		{ '*', 'x', set "\\Services\\ClusSvc", "ImagePath",                                \
		  "%SystemRoot%\\Cluster\\clussvc.exe" },                                          \
		{ '*', 'd', set "\\Services\\ClusDisk", "Start", "1" },                            \
		{ '*', 's', set "\\Services\\ClusDisk\\Parameters\\Signatures\\1A2B3C4D",          \
		  "DiskName", "\\Device\\Harddisk1" },                                             \
		{ '*', 'S', set "\\Services\\ContosoLager", "", "2" },                             \
		{ '*', 's', set "\\Services\\ContosoLager", "DisplayName", "Läger (" set ")" },    \
		{ '*', 'd', set "\\Services\\ContosoLager", "Start", "3" },                        \
		{ '*', 'd', set "\\Services\\ContosoLager\\Parameters\\Queue1", "Depth", "7" },    \
		{ '*', 'S', set "\\Services\\ContosoLager\\Security", "", "2" },                   \
	{                                                                                          \
		'*', 'D', set "\\Services\\ContosoLager\\Security", "Security", "0"                \
	}

const struct sample_row sample_system[] = {
	{ '*', 'd', "Select", "Current", "2" },
	{ '*', 'd', "Select", "Default", "2" },
	{ '*', 'd', "Select", "Failed", "0" },
	{ '*', 'd', "Select", "LastKnownGood", "1" },
	CONTROL_SET("ControlSet001", "OLD{node1}", "3"),
	CONTROL_SET("ControlSet002", "{node1}", "2"),
	{ '*', 'b', "MountedDevices", "\\DosDevices\\C:", "12" },
	{ '*', 'd', "Setup", "SystemSetupInProgress", "0" },
	{ 0 },
};

const struct sample_row sample_sam[] = {
	{ '*', 'S', "", "", "2" },
	{ '*', 'b', "SAM\\Domains\\Account", "F", "80" },
	{ '*', 'b', "SAM\\Domains\\Account\\Users\\000001F4", "V", "120" },
	{ '*', 'c', "SAM\\Domains\\Builtin", "", "f00d" },
	{ 0 },
};

const struct sample_row sample_security[] = {
	{ '*', 'S', "", "", "2" },
	{ '*', 'b', "Policy\\PolAcDmS", "", "28" },
	{ '*', 'b', "Policy\\Secrets\\Contoso\\CurrVal", "", "76" },
	{ 0 },
};

const struct sample_row sample_default[] = {
	{ '*', 's', "Control Panel\\Desktop", "Wallpaper", "Ostküste.bmp" },
	{ '*', 'x', "Environment", "TEMP", "%USERPROFILE%\\Temp" },
	{ 0 },
};

-- SQL Server 2016 and later on Windows. EXECUTE on master.sys.xp_logininfo (members of sysadmin have it).
EXEC master.sys.xp_logininfo @acctname = %(name)s, @option = N'members'

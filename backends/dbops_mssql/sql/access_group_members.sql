-- SQL Server 2016+ on Windows. EXECUTE on master.sys.xp_logininfo (members of sysadmin have it).
EXEC master.sys.xp_logininfo @acctname = @name, @option = N'members'

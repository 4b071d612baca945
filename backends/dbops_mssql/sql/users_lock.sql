-- SQL Server 2016+; no privilege. 0 or 1 when this session has the lock of dbops users now, below 0 when another has it.
DECLARE @result int;
EXEC @result = sys.sp_getapplock @Resource = N'dbops.users', @LockMode = 'Exclusive', @LockOwner = 'Session',
    @LockTimeout = 0;
SELECT @result AS result

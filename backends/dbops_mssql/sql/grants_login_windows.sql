-- The login itself, for a user or a group of Windows. One that is there stays as it is.
IF SUSER_ID(:text) IS NULL
    CREATE LOGIN :login FROM WINDOWS;

-- The login itself. The password that it begins with is nobody's: its hash is made up. One that is there stays as it is.
IF SUSER_ID(:text) IS NULL
    CREATE LOGIN :login WITH PASSWORD = :nobody HASHED;

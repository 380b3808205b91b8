//! Advice on queries and schema of MySQL and MariaDB.

-- The roles of an installation, none of which can do more than it has to. The image of PostgreSQL runs this once, as the
-- superuser, when it makes the database; whoever has a server already runs it there by hand:
--
--   OWNER_PASSWORD=… WRITER_PASSWORD=… REPORTING_PASSWORD=… psql --dbname bitacora --file deploy/postgres/roles.sql
--
-- What the roles may do with the tables of the log, `bitacora migrate` grants them: it knows the tables.

\set ON_ERROR_STOP on
\getenv owner OWNER_PASSWORD
\getenv writer WRITER_PASSWORD
\getenv reporting REPORTING_PASSWORD

-- Owns the log and migrates it; no service runs as it.
CREATE ROLE bitacora_owner LOGIN PASSWORD :'owner';
-- Appends: the three services.
CREATE ROLE bitacora_writer LOGIN PASSWORD :'writer';
-- Reads the log and owns the read model: the worker, and reporting for its read model.
CREATE ROLE bitacora_reporting LOGIN PASSWORD :'reporting';

SELECT format('ALTER DATABASE %I OWNER TO bitacora_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO bitacora_writer, bitacora_reporting', current_database()) \gexec
-- Each generation of the read model is a schema of its own.
SELECT format('GRANT CREATE ON DATABASE %I TO bitacora_reporting', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO bitacora_owner;

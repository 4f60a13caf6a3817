"""Django's PostgreSQL backend, which starts the embedded server before its first connection.

So `manage.py shell`, `migrate`, a test or a script needs no service to be started beforehand, and a command that never
asks the database never starts one.
"""

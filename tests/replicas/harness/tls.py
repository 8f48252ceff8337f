"""TLS to a real PostgreSQL whose certificate a private authority has signed."""

import json
import os
import subprocess

from .database import NOBODY, Database
from .replica import Replica

KIND = {"Content-Type": "application/json"}
PASSWORD = "the-password-of-the-test"


def authority(directory, name):
    """The files of a new certificate authority: certificate and key."""
    certificate, key = os.path.join(directory, f"{name}.pem"), os.path.join(directory, f"{name}.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", key, "-out", certificate)
    return certificate, key


def openssl(*command):
    subprocess.run(["openssl", *command], check=True, capture_output=True)


def sign(directory, authority_files, host):
    """A certificate of one host name."""
    certificate, key = (os.path.join(directory, f"server.{kind}") for kind in ("crt", "key"))
    request, names = os.path.join(directory, "server.csr"), os.path.join(directory, "names")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}", "-keyout", key, "-out", request)
    with open(names, "w") as out:
        out.write(f"subjectAltName=DNS:{host}\n")
    openssl("x509", "-req", "-in", request, "-CA", authority_files[0], "-CAkey", authority_files[1], "-CAcreateserial", "-days", "2",
            "-extfile", names, "-out", certificate)
    return certificate, key


def encrypted(directory, files):
    """A PostgreSQL that accepts the role `tls` over TLS alone, with its password."""
    database = Database(directory)
    for file in files:
        target = os.path.join(database.data, os.path.basename(file))
        with open(file, "rb") as source, open(target, "wb") as out:
            out.write(source.read())
        os.chmod(target, 0o600)
        if os.geteuid() == 0:
            os.chown(target, NOBODY, NOBODY)
    database.query(f"CREATE ROLE tls LOGIN PASSWORD '{PASSWORD}'")
    database.query("CREATE DATABASE tls OWNER tls")
    with open(os.path.join(database.data, "postgresql.conf"), "a") as settings:
        settings.write("\nssl = on\n")
    with open(os.path.join(database.data, "pg_hba.conf"), "w") as rules:
        rules.write("hostssl all tls 127.0.0.1/32 scram-sha-256\nhost all callboard 127.0.0.1/32 trust\n")
    database.stop()
    database.start()
    return database


def tls(verdict, directory, binary, program, secret_line):
    os.mkdir(directory)
    private, other = authority(directory, "private"), authority(directory, "other")
    database = encrypted(os.path.join(directory, "postgres"), sign(directory, private, "localhost"))
    password = os.path.join(directory, "password")
    with open(password, "w") as out:
        out.write(f"{PASSWORD}\n")
    started = []

    def start(name, host, parameters, database_password=password):
        url = f"postgresql://tls@{host}:{database.port}/tls?{parameters}"
        more = f'database_password_file = "{database_password}"\n'
        replica = Replica(name, binary, os.path.join(directory, name), database, program, secret_line, url=url, more=more)
        replica.start()
        started.append(replica)
        return replica

    wrong = os.path.join(directory, "wrong-password")
    with open(wrong, "w") as out:
        out.write("another-password\n")
    root = f"sslmode=verify-full&sslrootcert={private[0]}"
    try:
        right = start("right", "localhost", root)
        refused = {
            "a certificate of another name": (start("name", "127.0.0.1", root), "not valid for name"),
            "a certificate of another authority": (start("authority", "localhost", f"sslmode=verify-full&sslrootcert={other[0]}"), "UnknownIssuer"),
            "the system's authorities": (start("system", "localhost", "sslmode=verify-full"), "UnknownIssuer"),
            "no TLS": (start("plain", "localhost", "sslmode=disable"), "no pg_hba.conf entry"),
            "a wrong password": (start("password-of-another", "localhost", root, wrong), "password authentication failed"),
        }
        right.wait_until_it_answers()
        status = right.request("POST", "/api/v1/agendas", KIND, json.dumps({"name": "n", "picks": []}))[0]
        used = database.query("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'tls'")
        verdict.check(status == 201 and used == "t", f"a database with TLS of a private authority: a write is {status}, encrypted: {used}")
        for what, (replica, expected) in refused.items():
            ended = replica.process.wait(60)
            log = open(os.path.join(replica.directory, "log")).read()
            says = expected in log and PASSWORD not in log and "another-password" not in log
            verdict.check(ended not in (0, None) and says, f"{what}: refused with exit code {ended}" + ("" if says else f": {log[-600:]}"))
    finally:
        for replica in started:
            replica.stop()
        database.remove()

"""Certificates of the stage: an authority, and what it signs, by openssl. Keys are of an elliptic curve: made in a moment."""
import os
import ssl
import subprocess


def openssl(*words):
    done = subprocess.run(['openssl', *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


class Authority:
    def __init__(self, nest, name):
        self.folder, self.name = nest.folder(name), name
        self.certificate, self.key = f'{self.folder}/{name}.pem', f'{self.folder}/{name}-key.pem'
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', self.key, '-out', self.certificate,
                '-days', '2', '-subj', f'/CN={name}')

    def issue(self, name, unit='', days=2, host='127.0.0.1', key_type=('ec', '-pkeyopt', 'ec_paramgen_curve:P-256')):
        """Paths of a certificate and its key, and of both in one file as HAProxy wants it."""
        base = f'{self.folder}/{name}'
        subject = (f'/OU={unit}' if unit else '') + f'/CN={name}'
        openssl('req', '-newkey', *key_type, '-nodes', '-keyout', f'{base}-key.pem', '-out', f'{base}.csr', '-subj', subject)
        with open(f'{base}.ext', 'w', encoding='utf-8') as file:
            file.write(f'subjectAltName=IP:{host},DNS:localhost\n')
        openssl('x509', '-req', '-in', f'{base}.csr', '-CA', self.certificate, '-CAkey', self.key, '-set_serial', str(int.from_bytes(os.urandom(8), 'big')),
                '-days', str(days), '-extfile', f'{base}.ext', '-out', f'{base}.pem')
        os.chmod(f'{base}-key.pem', 0o600)
        with open(f'{base}-both.pem', 'w', encoding='utf-8') as both:
            os.chmod(both.name, 0o600)
            for part in (f'{base}.pem', f'{base}-key.pem'):
                with open(part, encoding='utf-8') as file:
                    both.write(file.read())
        return f'{base}.pem', f'{base}-key.pem', f'{base}-both.pem'

    def context(self, shown=None):
        """Of a client that believes this authority, and shows what `issue` made."""
        context = ssl.create_default_context(cafile=self.certificate)
        if shown:
            context.load_cert_chain(shown[0], shown[1])
        return context

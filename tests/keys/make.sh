#!/usr/bin/env bash
# Generates the keys of this folder again, with OpenSSL 3: tests/keys/make.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

secret=(-passout 'pass:correct horse')
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
openssl ec -in ec.pem -out ec-sec1.pem
openssl rsa -in rsa.pem -traditional -out rsa-pkcs1.pem
openssl pkcs8 -topk8 -in ec.pem -v2 aes-256-cbc "${secret[@]}" -out ec-pbes2-aes256.pem
openssl pkcs8 -topk8 -in rsa.pem -v2 aes-128-cbc -v2prf hmacWithSHA1 "${secret[@]}" -out rsa-pbes2-sha1-aes128.pem
openssl pkcs8 -topk8 -in ec.pem -v2 aes-192-cbc -v2prf hmacWithSHA512 "${secret[@]}" -out ec-pbes2-sha512-aes192.pem
openssl pkcs8 -topk8 -in ec.pem -v2 des3 "${secret[@]}" -out ec-pbes2-des3.pem
openssl pkcs8 -topk8 -in ec.pem -scrypt "${secret[@]}" -out ec-scrypt.pem
openssl pkcs8 -topk8 -in ec.pem -v1 PBE-SHA1-3DES "${secret[@]}" -out ec-pbes1.pem
openssl ec -in ec.pem -aes256 "${secret[@]}" -out ec-sec1-aes256.pem
openssl rsa -in rsa.pem -traditional -des3 "${secret[@]}" -out rsa-pkcs1-des3.pem
openssl rsa -in rsa.pem -traditional -aes128 "${secret[@]}" -out rsa-pkcs1-aes128.pem

# Chains of two for ec.pem, the certificate before its authority's: what TLS may not be able to verify.
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
cat > "$temporary/ca.cnf" <<END
[ca]
default_ca = ours
[ours]
database = $temporary/index.txt
new_certs_dir = $temporary
rand_serial = yes
unique_subject = no
policy = policy
x509_extensions = server
[policy]
commonName = supplied
[server]
subjectAltName = DNS:localhost
basicConstraints = CA:FALSE
END
touch "$temporary/index.txt"
chain() { # name, what openssl makes the authority's key with, the digest
  local key=$temporary/key.pem authority=$temporary/authority.pem
  # shellcheck disable=SC2086
  openssl genpkey $2 -out "$key"
  openssl req -x509 -new -key "$key" -subj "/CN=$1" -days 36500 -addext keyUsage=critical,keyCertSign -out "$authority"
  openssl ca -batch -config "$temporary/ca.cnf" -cert "$authority" -keyfile "$key" -md "$3" -notext \
    -startdate 20200101000000Z -enddate 21200101000000Z -in <(openssl req -new -key ec.pem -subj '/CN=a server') \
    -out "$temporary/server.pem"
  cat "$temporary/server.pem" "$authority" > "chain-$1.pem"
}
p256='-algorithm EC -pkeyopt ec_paramgen_curve:P-256'
chain rsa-1024 '-algorithm RSA -pkeyopt rsa_keygen_bits:1024' sha256
chain rsa-sha1 '-algorithm RSA -pkeyopt rsa_keygen_bits:2048' sha1
chain rsa-pss '-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048' sha256
chain p256-sha512 "$p256" sha512
chain p521 '-algorithm EC -pkeyopt ec_paramgen_curve:P-521' sha512
chain p521-sha256 '-algorithm EC -pkeyopt ec_paramgen_curve:P-521' sha256
chain ed448 '-algorithm ED448' default
openssl x509 -req -in <(openssl req -new -key ec.pem -subj '/CN=localhost') -key ec.pem -days 36500 -out chain-v1.pem

# Keys that TLS here cannot use.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.pem
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsa-pss.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa-1024.pem
openssl genpkey -algorithm ED448 -out ed448.pem

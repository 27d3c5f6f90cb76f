#!/usr/bin/env bash
# Makes the keys of this folder anew, with OpenSSL 3: tests/keys/make.sh
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

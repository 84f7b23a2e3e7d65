// Package pki writes the certificates and kubeconfigs of a local cluster.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
	name string
}

// Main runs the program with the arguments after its name and returns its exit code.
func Main(args []string) int {
	if err := run(args); err != nil {
		fmt.Fprintln(os.Stderr, "pki:", err)
		return 1
	}
	return 0
}

// Spec is the file given by --spec: everything a cluster needs beyond the base set.
type Spec struct {
	// Clients get a client certificate and a kubeconfig NAME.kubeconfig.
	Clients []struct {
		Name string   `json:"name"`
		CN   string   `json:"cn"`
		Orgs []string `json:"orgs"`
	} `json:"clients"`
	// Servings get a serving certificate; the first SAN is the common name.
	Servings []struct {
		Name string   `json:"name"`
		SANs []string `json:"sans"`
	} `json:"servings"`
	// Signers are self-signed RSA authorities (CDI signs its upload certificates with RSA keys only).
	Signers []string `json:"signers"`
	// SigningKeys are RSA key pairs in the PEM forms that CDI writes itself: NAME/id_rsa and NAME/id_rsa.pub.
	SigningKeys []string `json:"signingKeys"`
}

// pki --dir DIR [--server URL] [--san a,b,..] [--spec FILE]
//
// Authorities and signing keys are made once and kept; certificates and kubeconfigs are issued anew at every run, because the
// server's port may have changed and a year-old directory should still start.
func run(args []string) error {
	fs := flag.NewFlagSet("pki", flag.ContinueOnError)
	dir := fs.String("dir", "", "output directory")
	server := fs.String("server", "https://127.0.0.1:6443", "API server URL")
	sans := fs.String("san", "", "more SANs of the API server")
	specFile := fs.String("spec", "", "JSON file: more certificates")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("--dir is missing")
	}
	d := *dir
	if err := os.MkdirAll(d, 0o700); err != nil {
		return err
	}
	ca, err := loadOrCA(d, "ca", "basalt-local-ca")
	if err != nil {
		return err
	}
	if err := baseSet(d, ca, *server, *sans); err != nil {
		return err
	}
	if *specFile == "" {
		return nil
	}
	raw, err := os.ReadFile(*specFile)
	if err != nil {
		return err
	}
	var spec Spec
	if err := json.Unmarshal(raw, &spec); err != nil {
		return fmt.Errorf("%s: %w", *specFile, err)
	}
	for _, c := range spec.Clients {
		if err := kubeconfig(d, ca, c.Name, c.CN, c.Orgs, *server); err != nil {
			return err
		}
	}
	for _, s := range spec.Servings {
		if len(s.SANs) == 0 {
			return fmt.Errorf("serving certificate %s has no name", s.Name)
		}
		if err := leaf(d, ca, s.Name, s.SANs[0], nil, s.SANs, x509.ExtKeyUsageServerAuth); err != nil {
			return err
		}
	}
	for _, s := range spec.Signers {
		if err := rsaSigner(d, s); err != nil {
			return err
		}
	}
	for _, s := range spec.SigningKeys {
		if err := signingKey(filepath.Join(d, s)); err != nil {
			return err
		}
	}
	return nil
}

// baseSet is what the control plane itself needs.
func baseSet(d string, ca *pair, server, sans string) error {
	fp, err := loadOrCA(d, "front-proxy-ca", "front-proxy-ca")
	if err != nil {
		return err
	}
	names := []string{"localhost", "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", "10.96.0.1"}
	if sans != "" {
		names = append(names, strings.Split(sans, ",")...)
	}
	if err := leaf(d, ca, "apiserver", "kube-apiserver", nil, names, x509.ExtKeyUsageServerAuth); err != nil {
		return err
	}
	if err := leaf(d, fp, "front-proxy-client", "front-proxy-client", nil, nil, x509.ExtKeyUsageClientAuth); err != nil {
		return err
	}
	for _, c := range []struct {
		file, cn string
		orgs     []string
	}{
		{"admin", "kubernetes-admin", []string{"system:masters"}},
		{"kcm", "system:kube-controller-manager", nil},
		{"sched", "system:kube-scheduler", nil},
	} {
		if err := kubeconfig(d, ca, c.file, c.cn, c.orgs, server); err != nil {
			return err
		}
	}
	if exists(filepath.Join(d, "sa.pub")) {
		return nil
	}
	sa, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	if err := writeKey(filepath.Join(d, "sa.key"), sa); err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(sa.Public())
	if err != nil {
		return err
	}
	return write(filepath.Join(d, "sa.pub"), "PUBLIC KEY", pub)
}

// rsaSigner writes NAME.crt and NAME.key unless they exist.
func rsaSigner(d, name string) error {
	if exists(filepath.Join(d, name+".crt")) {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	t := authority(name)
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	if err := writeKey(filepath.Join(d, name+".key"), key); err != nil {
		return err
	}
	return write(filepath.Join(d, name+".crt"), "CERTIFICATE", der)
}

// signingKey writes id_rsa and id_rsa.pub into the directory unless they exist.
func signingKey(d string) error {
	if exists(filepath.Join(d, "id_rsa.pub")) {
		return nil
	}
	if err := os.MkdirAll(d, 0o700); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := write(filepath.Join(d, "id_rsa"), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)); err != nil {
		return err
	}
	return write(filepath.Join(d, "id_rsa.pub"), "PUBLIC KEY", pub)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func write(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func writeKey(file string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return write(file, "PRIVATE KEY", der)
}

func template(cn string, org []string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: cn, Organization: org},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
}

func authority(cn string) *x509.Certificate {
	t := template(cn, nil)
	t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature
	return t
}

func loadOrCA(d, file, cn string) (*pair, error) {
	if c, err := os.ReadFile(filepath.Join(d, file+".crt")); err == nil {
		k, err := os.ReadFile(filepath.Join(d, file+".key"))
		if err != nil {
			return nil, err
		}
		cb, _ := pem.Decode(c)
		kb, _ := pem.Decode(k)
		cert, err := x509.ParseCertificate(cb.Bytes)
		if err != nil {
			return nil, err
		}
		key, err := x509.ParsePKCS8PrivateKey(kb.Bytes)
		if err != nil {
			return nil, err
		}
		return &pair{cert, key.(crypto.Signer), file}, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := authority(cn)
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, _ := x509.ParseCertificate(der)
	if err := write(filepath.Join(d, file+".crt"), "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return &pair{cert, key, file}, writeKey(filepath.Join(d, file+".key"), key)
}

func leaf(d string, ca *pair, file, cn string, org, sans []string, usage x509.ExtKeyUsage) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := template(cn, org)
	t.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	for _, s := range sans {
		if ip := net.ParseIP(s); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, s)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.cert, key.Public(), ca.key)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(d, file+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(filepath.Join(d, file+".key"), key)
}

func kubeconfig(d string, ca *pair, file, cn string, org []string, server string) error {
	if err := leaf(d, ca, file, cn, org, nil, x509.ExtKeyUsageClientAuth); err != nil {
		return err
	}
	b64 := func(n string) string {
		b, _ := os.ReadFile(filepath.Join(d, n))
		return base64.StdEncoding.EncodeToString(b)
	}
	return os.WriteFile(filepath.Join(d, file+".kubeconfig"), []byte(fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- {name: basalt, cluster: {server: %q, certificate-authority-data: %s}}
users:
- {name: %q, user: {client-certificate-data: %s, client-key-data: %s}}
contexts:
- {name: basalt, context: {cluster: basalt, user: %q}}
current-context: basalt
`, server, b64("ca.crt"), cn, b64(file+".crt"), b64(file+".key"), cn)), 0o600)
}

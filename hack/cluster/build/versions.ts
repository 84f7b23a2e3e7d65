/** `hack/versions.env`: the pins of everything that is built, as `NAME=value` lines. */

/** The pins the Go builds need. */
export interface Versions {
  readonly go: string;
  readonly kubernetes: string;
  readonly kubernetesStaging: string;
  readonly etcd: string;
  readonly kwok: string;
  readonly helm: string;
  readonly kubevirt: string;
  readonly cdi: string;
  readonly buildDate: string;
}

/** Parses `NAME=value` lines; `#` lines and empty ones are skipped. Throws on any other line, naming its number. */
export function parseEnvLines(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
    if (match === null) throw new Error(`line ${index + 1} is not NAME=value: ${line}`);
    values[match[1] as string] = match[2] as string;
  }
  return values;
}

/** The pins out of the file's text. Throws when one is missing. */
export function parseVersions(text: string): Versions {
  const values = parseEnvLines(text);
  const need = (name: string): string => {
    const value = values[name];
    if (value === undefined || value === '') throw new Error(`versions.env: ${name} is missing`);
    return value;
  };
  return {
    go: need('GO_VERSION'),
    kubernetes: need('KUBERNETES_VERSION'),
    kubernetesStaging: need('KUBERNETES_STAGING_VERSION'),
    etcd: need('ETCD_VERSION'),
    kwok: need('KWOK_VERSION'),
    helm: need('HELM_VERSION'),
    kubevirt: need('KUBEVIRT_VERSION'),
    cdi: need('CDI_VERSION'),
    buildDate: need('BUILD_DATE'),
  };
}

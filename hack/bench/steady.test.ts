import {describe, expect, test} from '@jest/globals';
import {writesByResource} from './steady.ts';

const METRICS = `# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="basalt.dev",resource="servers",scope="resource",subresource="status",verb="PUT",version="v1alpha1"} 3
apiserver_request_total{code="201",component="apiserver",dry_run="",group="basalt.dev",resource="servers",scope="resource",subresource="",verb="POST",version="v1alpha1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="basalt.dev",resource="servers",scope="cluster",subresource="",verb="WATCH",version="v1alpha1"} 9
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 50
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="APPLY",version="v1"} 1
other_total{verb="PUT",resource="servers"} 7
`;

describe('writes by resource', () => {
  test('adds up write verbs and leaves reads, leases and other metrics out', () => {
    expect([...writesByResource(METRICS)]).toEqual([
      ['servers.basalt.dev', 5],
      ['secrets', 1],
    ]);
  });
});

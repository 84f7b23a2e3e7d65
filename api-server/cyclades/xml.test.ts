import {describe, expect, test} from '@jest/globals';
import {faultXml, toXml} from './xml.ts';

const NS = ' xmlns="http://docs.openstack.org/compute/api/v1.1" xmlns:atom="http://www.w3.org/2005/Atom"';
const body = (value: unknown) => toXml(value)?.split('\n')[1];

describe('toXml', () => {
  test.each<[string, unknown, string]>([
    [
      'brief servers',
      {servers: [{id: '42', name: 'a & <b>', links: []}]},
      `<servers${NS}><server id="42" name="a &amp; &lt;b&gt;"/></servers>`,
    ],
    [
      'a full server',
      {
        server: {
          id: '42',
          name: 'n',
          status: 'BUILD',
          progress: 0,
          created: 'c',
          updated: 'u',
          hostId: '',
          adminPass: 'p',
          flavor: {id: 1},
          image: {id: 'i'},
          metadata: {os: 'debian'},
          addresses: {'7': [{version: 4, addr: '10.0.0.1'}]},
        },
      },
      `<server${NS} created="c" description="n" flavorRef="1" hostId="" id="42" imageRef="i" name="n" progress="0" status="BUILD" updated="u" adminPass="p">` +
        '<metadata><meta key="os">debian</meta></metadata><addresses><network id="7"><ip version="4" addr="10.0.0.1"/></network></addresses></server>',
    ],
    [
      'a server without an image',
      {server: {id: '1', name: 'n', status: 'ACTIVE', image: ''}},
      `<server${NS} description="n" id="1" name="n" status="ACTIVE"><metadata></metadata><addresses></addresses></server>`,
    ],
    [
      'a flavor says cpu',
      {flavor: {id: 1, name: 'f', ram: 512, vcpus: 2, disk: 5}},
      `<flavor${NS} id="1" name="f" ram="512" cpu="2" disk="5"/>`,
    ],
    ['metadata', {metadata: {a: '1'}}, `<metadata${NS}><meta key="a">1</meta></metadata>`],
    ['an item with both members', {metadata: {a: '1'}, meta: {a: '1'}}, `<meta${NS} key="a">1</meta>`],
    ['connections', {addresses: {'1': []}, attachments: []}, `<addresses${NS}><network id="1"/></addresses>`],
    ['one network', {network: {'1': [{version: 6, addr: '::1'}]}}, `<network${NS} id="1"><ip version="6" addr="::1"/></network>`],
  ])('%s', (_name, value, expected) => {
    expect(body(value)).toBe(expected);
  });

  test('kinds without an XML form have none', () => {
    expect(toXml({keypairs: []})).toBeUndefined();
    expect(toXml([])).toBeUndefined();
  });

  test('characters that XML cannot carry are dropped', () => {
    expect(body({metadata: {a: 'x\u0000\u0008y'}})).toContain('>xy<');
  });
});

test('a fault carries code, message and details', () => {
  expect(faultXml('itemNotFound', {code: 404, message: 'no "x"', details: ''})).toContain(
    '<itemNotFound xmlns="http://docs.openstack.org/compute/api/v1.1" code="404"><message>no &quot;x&quot;</message><details/></itemNotFound>',
  );
});

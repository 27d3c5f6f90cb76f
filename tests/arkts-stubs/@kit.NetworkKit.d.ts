export declare namespace connection {
  interface NetHandle {
    netId: number;
  }
  interface NetAddress {
    address: string;
  }
  interface LinkAddress {
    address: NetAddress;
  }
  interface ConnectionProperties {
    linkAddresses: Array<LinkAddress>;
  }
  function getDefaultNetSync(): NetHandle;
  function getConnectionPropertiesSync(netHandle: NetHandle): ConnectionProperties;
}

export declare namespace hilog {
  function info(domain: number, tag: string, format: string, ...args: Object[]): void;
  function error(domain: number, tag: string, format: string, ...args: Object[]): void;
}

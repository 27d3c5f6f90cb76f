export declare namespace taskpool {
  function execute(func: Function, ...args: Object[]): Promise<Object>;
}

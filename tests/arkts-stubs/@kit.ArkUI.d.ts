import { AsyncCallback } from '@kit.BasicServicesKit';

export declare namespace window {
  interface WindowStage {
    loadContent(path: string, callback: AsyncCallback<void>): void;
  }
}

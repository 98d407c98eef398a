/// <reference types="miniprogram-api-typings" />

/** Types of wx-cloud.js, in the words of miniprogram-api-typings: what it serves of `wx.cloud` is typed as there. */
declare function useEmulator(place?: useEmulator.Place): useEmulator.Cloud;

declare namespace useEmulator {
  /** Where the emulator is, for a mini program that runs on a phone. */
  interface Place {
    /** As `emulator start --lan` prints it, with or without `?token=…`. */
    address: string;
    token?: string;
    /** The environment, such as a fork, that stands for the one the code means. */
    env?: string;
  }

  /** The members of `wx.cloud` that the emulator serves. The others refuse by their name. */
  type Served =
    'init' | 'database' | 'callFunction' | 'uploadFile' | 'downloadFile' | 'getTempFileURL' | 'deleteFile' | 'CloudID';

  interface Cloud extends Pick<WxCloud, Served> {
    /** Another environment beside the one of `wx.cloud`. */
    Cloud: new (options: CloudOptions) => OtherCloud;
    /** The emulator's default environment. */
    readonly DYNAMIC_CURRENT_ENV: symbol;
  }

  interface CloudOptions {
    resourceEnv: string;
    resourceAppid?: string;
  }

  interface OtherCloud extends Pick<WxCloud, Exclude<Served, 'init' | 'CloudID'>> {
    init(): Promise<void>;
  }

  /** The `wx.cloud` to use: this file's where it acts, else the native one. */
  const cloud: Cloud;
}

export = useEmulator;

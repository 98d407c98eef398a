### 程序运行时说的话，中文；原文是 en.ftl。错误码和云端自己的话两种语言都一样，不在这里。

## 命令行写错时

mistake-argument = 无法识别的参数 '{ $argument }'
mistake-command = 没有 '{ $name }' 这个命令
mistake-no-command = 缺少子命令
mistake-no-value = 参数 '{ $argument }' 需要一个值
mistake-value = '{ $value }' 不能作为参数 '{ $argument }' 的值
mistake-value-unneeded = 参数 '{ $argument }' 不带值，却得到了 '{ $value }'
mistake-missing = 缺少参数：{ $argument }
mistake-conflict = 参数 '{ $argument }' 和 '{ $other }' 不能同时使用
mistake-values = 可选值：{ $values }
mistake-suggestion = 你是不是想输入：{ $suggested }
mistake-usage = 用法:
mistake-help = 更多说明请看 --help

## 所有命令

error = 错误：{ $message }
threads-failed = 无法启动线程：{ $reason }
signals-failed = 无法监听系统信号：{ $reason }
unreadable = 无法读取 { $path }：{ $reason }
path-unnameable = 无法确定 { $path } 的完整路径：{ $reason }
path-not-text = 无法把路径 { $path } 告诉模拟器：它不是 UTF-8 编码
file-unusable = 无法读写 { $path }：{ $reason }
file-not-an-object = { $path } 的内容不是 JSON 对象
not-json = { $what } 不是合法的 JSON：{ $reason }
not-an-object = { $what } 不是 JSON 对象：{ $found }
program-unknown = 无法确定本程序所在的路径：{ $reason }
project-unusable = 项目目录 { $path } 不可用：{ $reason }
project-foreign = { $path } 不是微信开发者工具生成的格式：{ $reason }
settings-timeout = { $path }：functions.{ $function }.timeout-seconds 必须在 1 到 { $most } 之间

## 连接正在运行的模拟器

not-running = 数据目录 { $data } 上没有正在运行的模拟器，而这个命令只能用于正在运行的模拟器：请先执行 `emulator start`，或用 --data 指定它的数据目录
client-silent = 进程号为 { $pid } 的模拟器在端口 { $port } 上没有响应：{ $reason }
client-broken-off = 与正在运行的模拟器的连接中断：{ $reason }
client-unwritable = 无法生成请求：{ $reason }
client-not-json = 正在运行的模拟器返回的不是 JSON：{ $reason }

## start、exec

screen-variables = 服务端 SDK（@cloudbase/node-sdk、wx-server-sdk）：在启动它们的终端里先执行
screen-environment = 云环境：  { $name }（请求没有指定环境时使用）
screen-functions = 云函数：  { $names }
screen-functions-none = 云函数：  无
screen-data = 数据目录：{ $path }
screen-data-temporary = 数据目录：临时目录，退出时删除
screen-fixtures = 预置数据：{ $seeded }
screen-watched = 正在监视：预置数据的文件一有改动，就用它替换全部数据
screen-network = 已向局域网开放（--lan）：任何拿到 token 的人都能以任意用户的身份使用这个云环境。在手机上调试时，在 app.js 中写：
screen-network-none = 本机当前没有局域网地址：请先连上网络再重新启动
fixtures-filled = { $collections } 个集合，共 { $documents } 个文档，{ $files } 个文件，{ $users } 个用户
fixtures-unused = 未使用：云环境里已有数据，没有做任何改动
stopping = 正在停止：会等进行中的请求完成，再按一次 Ctrl-C 立即退出
addresses-unknown = 无法获取本机的网络地址
port-taken = 端口 { $port } 已被 { $holder } 占用：请结束该进程，或用 --port 换一个端口
ports-taken = { $first } 到 { $last } 的端口全部被占用（{ $first } 被 { $holder } 占用）：请结束其中一个进程，或用 --port 指定一个空闲端口
port-unusable = 无法监听端口 { $port }：{ $reason }
holder = { $name }（进程号 { $pid }）
holder-unseen = 另一个进程（当前用户无权查看）
exec-no-command = 请在 `--` 后面写上要执行的命令：emulator exec -- npm test
exec-failed = 无法执行 `{ $program }`：{ $reason }
exec-not-found = 找不到命令 `{ $program }`
exec-fixtures-unused = 没有使用预置数据：云环境里已有数据

## seed，以及监视预置数据

seeded = 已写入 { $documents } 个文档（{ $collections } 个集合）、{ $files } 个文件、{ $users } 个用户
reseeded = 已用预置数据替换全部数据，用时 { $milliseconds } 毫秒：{ $documents } 个文档（{ $collections } 个集合）、{ $files } 个文件、{ $users } 个用户
reseed-failed = 预置数据有误，现有数据保持不变：{ $reason }
watch-failed = 无法监视 { $path }：{ $reason }
watch-needs-fixtures = --watch 需要一个监视的目录：请用 --fixtures DIR 指定，或在 emulator.toml 里写 `fixtures`

## import、export

imported = { $collection }：文件中共 { $documents } 个文档（{ $format }，{ $encoding }），新增 { $inserted } 个，更新 { $updated } 个，删除 { $removed } 个
exported = 已导出 { $documents } 个文档（{ $collections } 个集合）、{ $files } 个文件、{ $users } 个用户到 { $target }
exported-file = 已导出 { $documents } 个文档到 { $target }
export-needs-fields = 导出 CSV 需要指定列：--fields _id,name,age
stage-reading = 正在读取
stage-storing = 正在存入
stage-committing = 正在提交
stage-writing = 正在写入

## fork、drop、snapshot、restore、clock

fork-dropped = 已删除副本 { $fork }
snapshot-taken = 已保存快照 `{ $name }`，用 `emulator restore { $name }` 可以恢复
snapshot-restored = 已恢复到快照 `{ $name }`
snapshot-removed = 已删除快照 `{ $name }`
clock-ahead = 比本机快 { $distance }
clock-behind = 比本机慢 { $distance }
clock-frozen = 已冻结
clock-between = ，

## db、reset

reset = 已删除全部文档、文件、用户、权限和安全规则；集合保留，内容为空
documents = { $documents } 个文档
index-unique = 唯一
explained = 索引 { $index }：扫描 { $keys } 个索引键、{ $documents } 个文档，命中 { $found } 个{ $order }
explained-order = ，之后再排序
what-query = 查询条件
what-fields = 字段
what-documents = 文档
what-document = { $place }：第 { $number } 个文档
what-input = 标准输入

## call、users、rules

call-took = 用时 { $milliseconds } 毫秒，请求 { $request }
call-data-unreadable = --data：无法读取 { $path }：{ $reason }
user-chosen = 登录时没有指定用户的，现在是 { $name }  { $openid }
user-default = （登录时没有指定用户的，就是他）
rules-fine = { $path }：没有问题
rules-unusable = 没有设置任何规则

## init

init-no-app = { $path } 里既没有 app.js 也没有 app.ts：请在小程序项目里执行，或用 --project 指定项目
init-foreign-file = { $path } 不是模拟器生成的文件：请先把它移走
init-client-there = { $path }：已经存在
init-client-written = { $path }：已写入，只在开发者工具里生效
init-client-updated = { $path }：已更新到最新版本，只在开发者工具里生效
init-client-removed = { $path }：已删除
init-line-there = { $path }：已经引入
init-line-added = { $path }：已在第一行引入，`{ $line }`
init-line-removed = { $path }：已去掉引入它的那一行
init-check-off = { $path }：开发者工具已经允许访问本机
init-check-switched-off = { $path }：已关闭 `setting.urlCheck`，开发者工具会允许访问本机
init-check-restored = { $path }：`setting.urlCheck` 已恢复原值
init-nothing-to-undo = 没有需要撤销的内容
init-next = 下一步：在这里执行 `emulator start`，再用开发者工具打开项目；`emulator init --undo` 可以撤销以上改动
init-release = 发布时不需要 { $file }：在 project.config.json 的 `packOptions.ignore` 里排除即可

### `--help` 的中文。英文原文是 arguments.rs 里的注释：每个命令一条，参数是它的属性；几个命令共有的参数在 shared 里。
### 空行之前是 `-h` 显示的一句话，全文由 `--help` 显示。

# clap 自己加上的词
words =
    .usage = 用法:
    .any-options = [选项]
    .command = 命令
    .commands = 命令
    .arguments = 参数
    .options = 选项
    .variable = 环境变量
    .default = 默认
    .values = 可选值

shared =
    .help =
        显示帮助

        `-h` 显示摘要，`--help` 显示全文。
    .version = 显示版本号
    .subcommand = 要查看帮助的命令
    .language =
        本程序的界面语言：en（英文）或 zh（中文）

        默认：由环境变量 EMULATOR_LANG 决定，没有设置则跟随系统。错误码和云端自己返回的文字在两种语言下都一样。
    .project =
        小程序项目：project.config.json 所在的目录，使用其中的 `appid` 和 `cloudfunctionRoot`

        默认：从当前目录逐级向上，最近一个有 project.config.json 的目录；都没有时就是当前目录，此时没有云函数。
    .environment =
        只提供这一个云环境；请求其他环境时返回云端的错误

        默认：任何环境在第一次使用时自动创建，没有指定环境的请求使用 `cloud1`。
    .log_format =
        日志的格式，日志写到标准错误

        默认：text。
    .log_format-text = 供人阅读
    .log_format-json = 每行一个 JSON 对象，供程序读取
    .data =
        云环境的数据目录，同 `start --data`

        如果有模拟器正在使用这个目录，就由它来执行；没有时本命令自己打开这个目录。
    .data_folder =
        云环境的数据目录，同 `start --data`

        如果有模拟器正在使用这个目录，就由它来执行；没有时本命令自己打开这个目录。
    .query = 同 `find` 的查询条件
    .order = 按哪些字段排序：'{"{"}"age": -1{"}"}'
    .masked =
        对每个文档的这些字段脱敏：`phone,profile.name`；可以多次指定

        密钥相同时，同一个值每次、在任何文件里都会变成同样的结果，所以原本相互关联的数据仍然对得上。
    .key =
        脱敏用的密钥；没有它，就无法通过穷举还原脱敏后的值

        默认：数据目录专用的密钥，随机生成。团队共用时，或使用 --ephemeral 时，请指定一个。
    .mode-insert = 全部作为新文档插入；`_id` 已存在即为错误
    .mode-upsert = `_id` 相同的文档被替换，其余保持不变
    .mode-replace = 用文件替换整个集合
    .format-json = JSON Lines，每行一个文档
    .format-csv = 逗号分隔的值
    .file = 同 `set` 的规则文件
    .files = 文件里只有云存储的规则
    .functions = 文件里只有云函数的规则

emulator =
    小程序云开发（微信云开发、CloudBase）的本地模拟器：直接使用官方 SDK 访问数据库、云存储和云函数，不需要网络，也不需要账号。
    .after =
        示例:
          emulator start                             在小程序项目里启动：加载它的云函数，数据保存在 .emulator
          emulator start --ephemeral --fixtures DIR  用于测试：云环境里是预置数据，结束后不留痕迹
          emulator exec --ephemeral --fixtures DIR -- npm test
          emulator seed DIR --reset                  重新写入预置数据，模拟器是否在运行都可以
          emulator fork                              立即为整个云环境建一个副本，用完后 `emulator drop` 删除
          emulator call addTodo --data '{"{"}"title":"milk"{"}"}' --as alice

        优先级：命令行参数，其次是环境变量（EMULATOR_PORT、EMULATOR_ENV 等），最后是项目里的 emulator.toml。

help = 显示帮助，或某个命令的帮助

start = 在本机启动云环境，直到按下 Ctrl-C
    .data =
        数据目录

        默认：项目里的 `.emulator`，不会进入 git。
    .port =
        监听的端口，只监听 127.0.0.1，除非指定 --lan

        默认：7357 到 7366 中第一个空闲的端口。
    .lan =
        向局域网开放，供手机上的小程序使用：只对小程序页面开放，且必须带上启动时显示的 token

        拿到 token 的人可以用任意用户的身份登录。管理接口、服务端 SDK 等仍然只限本机使用。
    .origins =
        同时允许来自这个 origin 的网页，例如 `https://dev.example.com:8443`；可以多次指定

        来自 localhost、127.0.0.1 和 `[::1]`（任意端口）的网页以及小程序始终允许。
    .ephemeral = 数据放在临时目录里，退出时删除，忽略 --data
    .fixtures =
        云环境为空时，用这个目录里的预置数据填充：`database/NAME.jsonl`、`storage/`、`users.json`、`permissions.json`、`rules.json`

        云环境里已有数据时不做任何改动，并在启动信息里说明。
    .watch =
        预置数据的文件一有改动，就用它替换云环境里的全部数据

        如果其中有错误，会显示出来，现有数据保持不变。

exec = 启动一个云环境并在旁边执行一条命令，以该命令的退出码结束
    .data =
        数据目录

        默认：项目里的 `.emulator`，不会进入 git。
    .ephemeral = 数据放在临时目录里，结束时删除
    .fixtures = 云环境为空时，用这个目录里的预置数据填充，同 `start --fixtures`
    .command = 要执行的命令及其参数。它通过服务端 SDK 的环境变量，以及 EMULATOR_URL、EMULATOR_TOKEN 和 EMULATOR_ENV 找到云环境

call = 调用云函数，显示返回值、日志和用时
    .name = 云函数的名称
    .data = 调用时传入的数据：JSON，或用 @FILE 从文件读取
    .openid = 以这个小程序用户的身份调用：云函数看到的 OPENID

db = 查看和修改数据库

db-collections = 列出集合：名称、权限、文档数

db-create = 创建集合
    .mode =
        谁可以读写：READONLY、PRIVATE、ADMINWRITE 或 ADMINONLY

        默认：PRIVATE，与云端相同。

db-find = 显示文档，每行一个
    .query = 与 `where` 相同，运算符用传输时的写法：'{"{"}"age": {"{"}"$gt": 18{"}}"}'
    .fields = 返回哪些字段：'{"{"}"name": 1{"}"}'
    .skip = 跳过多少个
    .limit = 最多多少个，不超过 1000

db-count = 显示文档数

db-insert = 以服务端的身份插入文档，要么全部成功要么全部不插入，并显示它们的 _id
    .documents = JSON 对象，可以逐个连写，也可以放在数组里；@FILE 从文件读取，- 从标准输入读取

db-explain = 说明一次查询是怎样执行的：用了哪个索引，扫描了多少，建什么索引会更快
    .limit = 最多多少个

db-index = 集合的索引；预置数据的索引写在 `indexes.json` 里

db-index-list = 列出索引：名称、字段、是否唯一

db-index-create = 创建索引，期间不影响读写
    .keys = 字段，最重要的在前：1 升序，-1 降序，"2dsphere" 用于地理位置：'{"{"}"list": 1, "at": -1{"}"}'
    .unique = 不允许两个文档的索引键相同；缺少的字段视为 null
    .name = 默认：由字段得出，例如 `list_1_at_-1`

db-index-drop = 按名称删除索引

db-mode = 设置集合的权限：谁可以读写
    .mode = READONLY、PRIVATE、ADMINWRITE 或 ADMINONLY

seed = 把一个目录里的预置数据写入云环境；其中有任何错误，就什么都不改
    .folder = 目录：`database/NAME.jsonl`、`storage/`、`users.json`、`permissions.json`、`rules.json`
    .reset = 用它替换云环境里的全部内容
    .watch =
        相当于 --reset：现在执行一次，之后目录里的文件一有改动就再执行一次，直到按下 Ctrl-C

        如果其中有错误，会显示出来，现有数据保持不变。

reset = 删除全部文档、文件、用户、权限和安全规则；集合保留，内容为空

import =
    把云开发控制台导出的文件导入集合：要么全部导入，要么什么都不改

    集合不存在时自动创建。有错误时指出文件、行号和字段，不做任何改动。
    .file = 云控制台导出的 JSON Lines，或首行为字段名的 CSV
    .collection = 导入到哪个集合
    .mode =
        怎样处理 `_id` 相同的文档，以及其余的文档

        默认：insert。
    .format =
        文件的格式

        默认：根据文件名和内容判断。
    .encoding =
        文字编码，例如 `utf-8` 或 `gbk`

        默认：根据内容判断。

export =
    把整个云环境导出为预置数据目录，或像云开发控制台那样导出一个集合

    即使有人正在写入，导出的也是同一时刻的数据；导出的目录可以用 `emulator seed` 原样写回。
    .target = 预置数据目录；指定 --collection 时为文件
    .collection = 只导出这个集合
    .format =
        文件的格式

        默认：文件名以 .csv 结尾时为 csv，否则为 json。
    .columns = CSV 的列，按此顺序；对 JSON 则是除 `_id` 以外要导出的字段：`_id,title,author.name`
    .overwrite = 覆盖已有的内容

fork =
    立即为整个云环境建一个副本，与数据量无关

    显示副本的名称，例如 `cloud1--3f9a2c71`。副本与原环境互不影响。
    .name =
        副本名称的结尾：`a` 得到 `cloud1--a`

        默认：8 个随机字符。

drop = 删除一个副本及其全部内容
    .fork = 副本，例如 `cloud1--a`

forks = 列出一个云环境的副本

snapshot = 把云环境当前的全部内容保存为快照；名称相同的快照会被替换
    .name = 快照的名称，供 `emulator restore` 使用

restore = 一次性恢复到快照；快照仍然保留，可以反复恢复
    .name = 用 `emulator snapshot` 保存的名称

snapshots = 云环境的快照；不带子命令时列出快照

snapshots-list = 列出快照

snapshots-remove = 删除快照；现有数据不受影响
    .name = 用 `emulator snapshot` 保存的名称

clock =
    正在运行的模拟器的时钟：决定服务端时间、token 和文件链接的有效期、事务的超时

    不带子命令时显示时间。所有云环境共用一个时钟，重新启动后恢复为本机时间。

clock-show = 显示现在的时间，以及与本机时间的差

clock-set = 设置时间，之后从这个时间继续走
    .when = 例如 2030-01-01T00:00:00Z，或自 1970 年起的毫秒数

clock-advance = 让时间立即前进
    .duration = 例如 1h30m、2d 或 45s，或毫秒数

clock-freeze = 让时间停住

clock-resume = 让冻结的时钟继续走

clock-reset = 恢复为本机时间

rules = 安全规则：按条件决定谁可以做什么

rules-show = 以 rules.json 的格式显示当前的安全规则

rules-set = 设置安全规则，立即生效。`emulator db mode` 会改用权限代替它
    .file = 规则文件 rules.json：{"{"}"collections": {"{"}"todos": {"{"}"read": "doc._openid == auth.openid"{"}}"}, "files": {"{}"}, "functions": {"{}"}{"}"}
    .collection = 文件里只有这个集合的规则，与云开发控制台的格式相同：{"{"}"read": true, "write": false{"}"}

rules-check = 指出文件中安全规则的问题，精确到行列；不能设置时返回失败
    .collection = 文件里只有这个集合的规则，与云开发控制台的格式相同：{"{"}"read": true, "write": false{"}"}

rules-test = 用 DIR/rules.test.json 里的用例测试 DIR/rules.json 里的规则，并指出没有被用例覆盖的条件
    .folder = 默认：emulator.toml 里指定的预置数据目录，否则为当前目录

users = 小程序的用户：谁来登录，openid 是什么

users-list = 列出用户

users-add = 添加用户；`wx.login` 的 code 与名称相同时，就以这个用户登录
    .openid = 默认：由名称得出，例如 oALICE0000000000000000000001
    .password = 登录密码，配合名称或下面的邮箱、手机号使用
    .phone = 带国家区号，或中国的手机号：'+86 13800000000'

users-remove = 删除用户；他的文档保留

users-use = 登录时没有指定用户的，都算作这个用户；已经登录的模拟器不受影响

outbox = 显示正在运行的模拟器本应通过邮件和短信发出的内容：用户登录用的验证码

doctor = 检查本项目的模拟器所依赖的一切；对每个问题说明哪里不对、原因，以及怎么解决
    .fix = 询问之后，在缺少依赖包的云函数目录里执行 `npm install`
    .yes = 安装前不再询问
    .json = 以 JSON 输出检查结果
    .port = 传给 `start` 的端口

init = 让本项目的小程序在开发者工具里使用模拟器
    .undo = 撤销之前 `emulator init` 写入的内容

completion =
    输出 shell 的补全脚本，用来补全本程序的命令和参数

    bash：在 `~/.bashrc` 里写 `eval "$(emulator completion bash)"`；zsh：在 `~/.zshrc` 里写 `eval "$(emulator completion zsh)"`；fish：执行 `emulator completion fish > ~/.config/fish/completions/emulator.fish`；PowerShell：在 `$PROFILE` 里写 `emulator completion powershell | Out-String | Invoke-Expression`。
    .shell = bash、elvish、fish、powershell 或 zsh

"""A word of English for each of the 400 commonest characters of the couplets, as Tang verse uses them.

Written for lesson 02 by hand. A character has more meanings than fit in a word: a gloss helps to read, no more.
"""

from __future__ import annotations

_TABLE = """
山 mountain 雲 cloud 人 person 風 wind 月 moon 水 water 日 sun 花 flower 不 not 秋 autumn 春 spring 無 without
寒 cold 雨 rain 遠 far 來 come 夜 night 歸 return 落 fall 中 middle 樹 tree 江 river 天 sky 白 white 上 above
客 guest 時 time 一 one 聲 sound 有 there-is 草 grass 雪 snow 路 road 鳥 bird 生 grow 行 walk 空 empty 長 long
色 colour 見 see 多 many 去 go 高 high 深 deep 心 heart 年 year 下 below 入 enter 自 self 清 clear 出 emerge 葉 leaf
別 part 盡 end 新 new 在 be-at 何 what 煙 mist 流 flow 青 green 林 woods 閑 idle 處 place 海 sea 城 town 知 know
明 bright 影 shadow 愁 sorrow 孤 lone 相 each-other 此 this 飛 fly 未 not-yet 竹 bamboo 過 pass 獨 alone 野 wilds
門 gate 晚 late 看 look 暮 dusk 老 old 思 think 開 open 酒 wine 石 stone 故 former 爲 become 還 again 隨 follow
松 pine 道 way 向 towards 地 earth 千 thousand 家 home 靜 still 外 outside 舊 old 滿 full 夢 dream 事 affair 聞 hear
應 should 殘 remnant 是 is 到 arrive 古 ancient 前 before 鄉 homeland 難 hard 連 join 更 more 同 same 光 light
陰 shade 欲 wish 分 divide 吟 chant 香 scent 三 three 露 dew 離 leave 關 border-gate 得 get 已 already 後 after
身 body 逢 meet 如 like 泉 source 僧 monk 猶 yet 樓 tower 情 feeling 霜 frost 起 rise 里 mile 重 layer 鶴 crane
邊 edge 朝 morning 楚 Chu 國 country 近 near 少 few 萬 ten-thousand 河 river 初 first 柳 willow 坐 sit 衣 clothes
沙 sand 陽 sunlight 宿 lodge 裏 inside 馬 horse 池 pond 今 now 曉 dawn 書 book 間 between 寺 temple 詩 poem 南 south
半 half 似 seem 塵 dust 平 level 幾 how-many 望 gaze 臨 overlook 夕 evening 君 you 晴 clear-sky 帶 belt 氣 breath
北 north 照 shine 留 stay 成 become 暗 dark 歌 song 遲 slow 綠 green 帆 sail 斷 break 疎 sparse 驚 startle 將 soon
共 together 尋 seek 遊 roam 與 with 醉 drunk 燈 lamp 黃 yellow 西 west 從 from 塞 frontier 遙 distant 木 wood
方 direction 峰 peak 亂 tangled 誰 who 病 ill 幽 secluded 意 meaning 微 faint 隔 apart 玉 jade 子 child 經 scripture
吹 blow 久 long-since 稀 rare 庭 courtyard 紅 red 星 star 東 east 波 wave 當 facing 散 scatter 金 gold 窗 window
芳 fragrant 世 world 發 send-forth 早 early 動 move 雁 wild-goose 岸 shore 對 opposite 歲 year 覺 awake 舟 boat
溪 brook 鐘 bell 度 cross 華 splendour 名 name 因 because 終 finally 漢 Han 枝 branch 非 not 聽 listen 湖 lake
移 shift 語 speak 涼 cool 送 send-off 鴈 wild-goose 潮 tide 斜 slanting 餘 remaining 通 through 我 I 好 good
碧 azure 輕 light 霞 rosy-cloud 迴 turn 髮 hair 蟬 cicada 臺 terrace 期 date 冷 cold 含 hold 琴 lute 急 urgent
火 fire 浮 float 合 close 悲 grief 轉 turn 復 again 定 settled 仙 immortal 頭 head 徑 path 景 view 依 lean 疑 doubt
曲 bend 作 make 猨 gibbon 能 can 和 harmony 龍 dragon 浦 inlet 川 stream 浪 billow 可 can 憶 remember 啼 cry
片 slice 五 five 小 small 先 first 船 ship 苔 moss 逐 chase 鳴 call 正 just 細 fine 百 hundred 淚 tear 亦 also
翠 emerald 迎 welcome 舞 dance 禪 meditation 貧 poor 巖 cliff 嶺 ridge 荒 waste 傳 hand-down 苦 bitter 魚 fish
渡 ford 洞 cave 大 great 低 low 笑 laugh 鏡 mirror 文 writing 田 field 愛 love 虛 void 谷 valley 隱 hide 至 reach
伴 companion 衰 wither 言 word 迥 remote 藥 medicine 眠 sleep 又 again 回 turn-back 常 always 垂 hang 翻 flutter
四 four 問 ask 桂 cassia 燕 swallow 寄 send 漸 gradually 臥 lie 豈 how-could 恨 regret 興 mood 橋 bridge 信 letter
侵 invade 易 easy 積 heap 園 garden 映 reflect 待 wait 鴻 swan-goose 雖 though 夏 summer 九 nine 忽 suddenly 堂 hall
拂 brush 神 spirit 閣 pavilion 官 office 秦 Qin 鶯 oriole 數 number 迷 lost 異 strange 極 utmost 洲 islet 漠 desert
直 straight 圓 round 薄 thin 居 dwell 曾 once 村 village 立 stand 戶 door 枕 pillow 雙 pair 唯 only 鬢 grey-hair
梅 plum 絕 cut-off 憐 pity 跡 trace 潭 pool 安 peace 滄 blue-green 井 well 搖 sway
"""
_PAIRS = _TABLE.split()
GLOSSES: dict[str, str] = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))


def gloss(line: str) -> str:
    """A line of verse, word by word: 孤煙直 → "lone mist straight"; "·" where there is no gloss."""
    return " ".join(GLOSSES.get(character, "·") for character in line)

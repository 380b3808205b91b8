#!/usr/bin/env python3
"""Statements that define, show, lock and load, made to be hard. NUL separated on stdout. usage: statements.py N SEED"""
import random,sys
R=random.Random(int(sys.argv[2]))
W="show SHOW Show create CREATE Create alter ALTER drop DROP truncate TRUNCATE rename table TABLE tables TABLES database DATABASE databases schema SCHEMA if IF exists EXISTS not NOT lock LOCK unlock UNLOCK read READ write WRITE local LOCAL load LOAD data DATA infile into INTO insert INSERT replace REPLACE ignore IGNORE low_priority delayed update UPDATE key KEY select SELECT from FROM join JOIN as AS union set SET begin commit rollback start flush xa XA call CALL use keys KEYS index indexes INDEXES INDEX columns full FULL session SESSION storage engine ENGINE engines count(*) COUNT( like LIKE where WHERE limit LIMIT in IN for FOR variables STATUS status on duplicate delete DELETE straight_join".split()
I="a b t1 `t` `a b` `a,b` db.t db1.`x y` `d`.`t` t_22 x2y `` ` 1 0 é".split(" ")+["`a b`"]
P=[",",", "," , ","(",")",";","=","/*!50003 FULL*/","/*!50100 x */","/* c 1 */","-- c\n","# 1\n","'s'",'"d"',"'","\\'","*",".","/*a*/"]
S=[" "]*12+["\n","  ","\t","\v"," \n",""]
T=["create table {} select * from {}","CREATE TABLE IF NOT EXISTS {} ({})","drop table if exists {}, {}","lock tables {} read, {} write","LOCK TABLES {} AS x READ LOCAL,{} low_priority write","SHOW {} {} {} {}","show create table {}","SHOW FULL COLUMNS FROM {}","SHOW COUNT(*) WARNINGS","SHOW /*!50003 FULL*/ TABLES {}","SHOW GLOBAL STATUS LIKE {}","show keys from {}","LOAD DATA INFILE {} INTO TABLE {} {}","select * from {} {} , {} as y,{} join {}","delete from {} where {}","insert into {} {} on duplicate key update {}","insert {} values(1)","update {} a, {} as b set {}","xa {} {}","alter database {} {}","drop schema {}","truncate table {}","rename table {} to {}","unlock tables {}","use {}","  USE {}","replace {} select {}","select {} from ({} , {})","select {} from (select {} from {})", "call {}({})"]
def tok():
    r=R.random()
    return R.choice(W) if r<.45 else R.choice(I) if r<.8 else R.choice(P)
out=[]
for i in range(int(sys.argv[1])):
    if i%2:
        s="".join(tok()+R.choice(S) for _ in range(R.randrange(1,12)))
    else:
        s=R.choice(T)
        while "{}" in s: s=s.replace("{}",tok() if R.random()<.8 else tok()+R.choice(S)+tok(),1)
        if R.random()<.3: s=s.upper()
        if R.random()<.2: s=R.choice(S)+s+R.choice(S)
    if s in("","0"): s="x"
    out.append(s.encode())
sys.stdout.buffer.write(b"\0".join(out)+b"\0")
